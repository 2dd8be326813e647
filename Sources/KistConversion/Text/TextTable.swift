import KistCore

/// Rows of cells in aligned columns.
public struct TextTable: Sendable {
  public enum Alignment: Sendable {
    case left
    case right
  }

  /// One name of 60,000 characters must not make every line as long.
  private static let maximumColumnWidth = 100

  private let alignments: [Alignment]
  private var rows: [[String]] = []
  /// The first row is set apart as titles.
  private let hasTitles: Bool

  /// - Parameter titles: Of the columns; nil for a table without.
  public init(_ alignments: [Alignment], titles: [String]? = nil) {
    self.alignments = alignments
    hasTitles = titles != nil
    if let titles { rows.append(titles) }
  }

  /// Adds a row; what comes from a file can't steer the terminal.
  public mutating func add(_ cells: [String]) { rows.append(cells.map(\.escapedForTerminal)) }

  /// The lines of the table, without trailing spaces.
  ///
  /// - Parameters:
  ///   - indent: Spaces before each line.
  ///   - width: Columns that a line may take; the first cell of longer ones is shortened in its middle. Nil for no
  ///     limit.
  ///   - emphasis: Marks titles; as they are when nil.
  public func lines(indent: Int = 0, width: Int? = nil, emphasis: ((String) -> String)? = nil) -> [String] {
    var widths = alignments.indices.map { column in
      min(rows.map { columnWidth($0[column]) }.max() ?? 0, TextTable.maximumColumnWidth)
    }
    if let width, let first = widths.first {
      let others = widths.dropFirst().reduce(0) { $0 + $1 + 2 }
      widths[0] = min(first, max(width - indent - others, 40))
    }
    return rows.enumerated().map { number, row in
      var line = String(repeating: " ", count: indent)
      for (column, cell) in row.enumerated() {
        let text = column == 0 && width != nil ? shortened(cell, to: widths[0]) : cell
        let padding = String(repeating: " ", count: max(0, widths[column] - columnWidth(text)))
        line += alignments[column] == .left ? text + padding : padding + text
        if column + 1 < row.count { line += "  " }
      }
      line = String(line.reversed().drop { $0 == " " }.reversed())
      return hasTitles && number == 0 ? emphasis?(line) ?? line : line
    }
  }

  /// The text with its middle cut out for an ellipsis, when it is longer than a width: both ends of a tensor's name
  /// matter.
  private func shortened(_ text: String, to width: Int) -> String {
    guard columnWidth(text) > width, width > 1 else { return text }
    let tail = (width - 1) / 2
    return text.prefix(width - 1 - tail) + "…" + text.suffix(tail)
  }
}

/// Columns that text takes on a terminal: two for the wide characters of East Asia and for emoji, none for marks.
private func columnWidth(_ text: String) -> Int {
  if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
  return text.reduce(0) { sum, character in
    let scalar = character.unicodeScalars.first?.value ?? 0
    let isWide =
      (0x1100...0x115F).contains(scalar) || (0x2E80...0xA4CF).contains(scalar) || (0xAC00...0xD7A3).contains(scalar)
      || (0xF900...0xFAFF).contains(scalar) || (0xFE30...0xFE6F).contains(scalar) || (0xFF00...0xFF60).contains(scalar)
      || (0x1F300...0x1FAFF).contains(scalar) || (0x20000...0x3FFFD).contains(scalar)
    return sum + (isWide ? 2 : 1)
  }
}
