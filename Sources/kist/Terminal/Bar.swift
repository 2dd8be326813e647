/// A bar of blocks, for a number from 0 to 1.
enum Bar {
  private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  /// - Parameter width: Columns of a whole bar.
  static func text(_ part: Double, width: Int = 24) -> String {
    guard part.isFinite else { return "" }
    let count = Int((min(max(part, 0), 1) * Double(8 * width)).rounded())
    return String(repeating: "█", count: count / 8) + eighths[count % 8]
  }
}
