import Foundation

/// What standard output and standard error are connected to.
enum Terminal {
  static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
  static let errorIsTerminal = isatty(STDERR_FILENO) == 1

  /// Columns of the terminal that standard output is; nil when it is none.
  static var width: Int? { outputIsTerminal ? columns(STDOUT_FILENO) : nil }

  static func columns(_ descriptor: Int32) -> Int {
    var size = winsize()
    if unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? 80
  }

  /// https://no-color.org
  private static let hasStyle: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return outputIsTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }()

  static func bold(_ text: String) -> String { styled(text, "1") }
  static func dim(_ text: String) -> String { styled(text, "2") }
  static func good(_ text: String) -> String { styled(text, "32") }
  static func bad(_ text: String) -> String { styled(text, "31;1") }

  private static func styled(_ text: String, _ code: String) -> String {
    hasStyle ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// Text on a background that is the stronger the more, of 1; nil where there are no colours.
  static func heat(_ part: Float, _ text: String) -> String? {
    guard hasStyle else { return nil }
    // From dark blue to yellow, in the order of their lightness: xterm's 256 colours.
    let colors = [17, 18, 19, 25, 31, 37, 36, 71, 107, 143, 179, 215, 221, 227]
    let index = min(colors.count - 1, Int(min(max(part, 0), 1) * Float(colors.count)))
    return "\u{1B}[48;5;\(colors[index])m\(text)\u{1B}[0m"
  }
}
