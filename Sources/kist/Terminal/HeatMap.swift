import Foundation
import KistCore

/// A square of weights from 0 to 1 as blocks, a row for each token that looks: by background colours on a terminal, else
/// by shades.
struct HeatMap {
  /// Of rows and columns.
  var labels: [String]
  /// [rows, columns]
  var weights: [Float]
  /// Columns that a line may take; nil for no limit.
  var width = Terminal.width

  private static let mostLabelColumns = 16
  /// From the least weight that shows to all of it.
  private static let shades = ["·", "░", "▒", "▓", "█"]
  private static let bounds: [Float] = [0.05, 0.2, 0.4, 0.7]

  var lines: [String] {
    let count = labels.count
    let names = labels.map { HeatMap.fitted("'\($0.escapedForTerminal)'") }
    let digits = String(max(0, count - 1)).count
    let margin = digits + 1 + (names.map(\.count).max() ?? 0) + 2
    // Two columns make a cell about as wide as high.
    let room = width.map { max(8, $0 - margin) } ?? .max
    let cellWidth = 2 * count <= room ? 2 : 1
    let shown = max(0, count - room / cellWidth)..<count
    var lines: [String] = []
    if cellWidth == 2 {
      let numbers = shown.map { HeatMap.padded("\($0 % 100)", 2) }.joined()
      lines.append(String(repeating: " ", count: margin) + Terminal.dim(numbers))
    }
    for row in 0..<count {
      let name = HeatMap.padded("\(row)", digits) + " " + names[row]
      let padding = String(repeating: " ", count: max(0, margin - name.count))
      let cells = shown.map { HeatMap.cell(weights[row * count + $0], width: cellWidth) }.joined()
      let line = name + padding + cells
      lines.append(String(line.reversed().drop { $0 == " " }.reversed()))
    }
    if shown.lowerBound > 0 {
      lines.append(
        "columns \(shown.lowerBound) to \(count - 1) of 0 to \(count - 1): the terminal is too narrow for all")
    }
    return lines + [HeatMap.legend]
  }

  private static var legend: String {
    let names = ["below 5 %", "20 %", "40 %", "70 %", "100 %"]
    let samples: [Float] = [0.02, 0.12, 0.3, 0.55, 1]
    return zip(samples, names).map { cell($0, width: 2) + " " + $1 }.joined(separator: "  ")
  }

  private static func cell(_ weight: Float, width: Int) -> String {
    guard weight > 0, weight.isFinite else { return String(repeating: " ", count: width) }
    let level = bounds.firstIndex { weight < $0 } ?? bounds.count
    if level > 0, let colored = Terminal.heat(weight, String(repeating: " ", count: width)) { return colored }
    return String(repeating: shades[level], count: width)
  }

  private static func fitted(_ name: String) -> String {
    name.count > mostLabelColumns ? name.prefix(mostLabelColumns - 2) + "…'" : name
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
