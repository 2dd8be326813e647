import Foundation
import KistCore

/// Curves and points as an SVG file of its own, readable on light and dark.
package struct Chart: Sendable {
  package struct Point: Sendable {
    package var x: Double
    package var y: Double
    package init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
  }

  package struct Series: Sendable {
    package enum Style: Sendable { case line, marks, dashes }
    package var name: String
    package var points: [Point]
    package var style: Style
    /// Which of the colours; the next when nil.
    package var colour: Int?
    package init(name: String, points: [Point], style: Style, colour: Int? = nil) {
      (self.name, self.points, self.style, self.colour) = (name, points, style, colour)
    }
  }

  package struct Axis: Sendable {
    package var title: String
    package var isLogarithmic: Bool
    package init(title: String, isLogarithmic: Bool = false) {
      (self.title, self.isLogarithmic) = (title, isLogarithmic)
    }
  }

  package var title: String
  package var x: Axis
  package var y: Axis
  package var series: [Series]

  package init(title: String, x: Axis, y: Axis, series: [Series]) {
    (self.title, self.x, self.y, self.series) = (title, x, y, series)
  }

  private static let size = (width: 720.0, height: 440.0)
  private static let plot = (left: 70.0, right: 700.0, top: 50.0, bottom: 380.0)
  /// Told apart by people who see colours otherwise too. Source: Okabe and Ito 2008.
  private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"]

  package func write(to path: String, replacing: Bool) throws(KistError) {
    let file = try NewFile(target: path)
    try file.output.write(Array(svg.utf8), at: 0)
    try file.commit(replacing: replacing)
  }

  package var svg: String {
    let (width, height) = (Self.number(Self.size.width), Self.number(Self.size.height))
    let horizontal = Scale(points.map(\.x), x.isLogarithmic, from: Self.plot.left, to: Self.plot.right)
    let vertical = Scale(points.map(\.y), y.isLogarithmic, from: Self.plot.bottom, to: Self.plot.top)
    let curves = series.enumerated().map { drawn($1, Self.colours[$1.colour ?? $0 % 7], horizontal, vertical) }.joined()
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
      role="img" aria-label="\(Self.escaped(title))" font-family="sans-serif" font-size="12">
      \(Self.style)
      <text x="\(Self.number(Self.plot.left))" y="24" font-size="16" font-weight="bold">\(Self.escaped(title))</text>
      \(axes(horizontal, vertical))\(curves)\(legend)</svg>

      """
  }

  private static let style = """
    <style>
    svg { color: #222; background: #fff; --grid: #ddd }
    @media (prefers-color-scheme: dark) { svg { color: #ddd; background: #1b1b1b; --grid: #444 } }
    text { fill: currentColor } .grid { stroke: var(--grid); stroke-width: 1 }
    </style>
    """

  private var points: [Point] { series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite } }

  private func axes(_ horizontal: Scale, _ vertical: Scale) -> String {
    let plot = Self.plot
    var text = ""
    for value in horizontal.ticks {
      let place = horizontal.place(value)
      text += Self.gridLine(from: (place, plot.top), to: (place, plot.bottom))
      text += Self.text(Self.label(value), x: place, y: plot.bottom + 18, anchor: "middle")
    }
    for value in vertical.ticks {
      let place = vertical.place(value)
      text += Self.gridLine(from: (plot.left, place), to: (plot.right, place))
      text += Self.text(Self.label(value), x: plot.left - 8, y: place + 4, anchor: "end")
    }
    text += Self.text(x.title, x: (plot.left + plot.right) / 2, y: plot.bottom + 42, anchor: "middle")
    let middle = Self.number((plot.top + plot.bottom) / 2)
    return text
      + "<text transform=\"translate(18 \(middle)) rotate(-90)\" text-anchor=\"middle\">\(Self.escaped(y.title))</text>\n"
  }

  private static func gridLine(from: (x: Double, y: Double), to: (x: Double, y: Double)) -> String {
    "<line class=\"grid\" x1=\"\(number(from.x))\" y1=\"\(number(from.y))\" "
      + "x2=\"\(number(to.x))\" y2=\"\(number(to.y))\"/>\n"
  }

  private static func text(_ text: String, x: Double, y: Double, anchor: String) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(escaped(text))</text>\n"
  }

  private func drawn(_ series: Series, _ colour: String, _ horizontal: Scale, _ vertical: Scale) -> String {
    let places = series.points.filter { $0.x.isFinite && $0.y.isFinite }.map {
      (Self.number(horizontal.place($0.x)), Self.number(vertical.place($0.y)))
    }
    if series.style == .marks {
      return places.map { "<circle cx=\"\($0)\" cy=\"\($1)\" r=\"3.5\" fill=\"\(colour)\"/>\n" }.joined()
    }
    let dashes = series.style == .dashes ? " stroke-dasharray=\"6 4\"" : ""
    let line = places.map { "\($0),\($1)" }.joined(separator: " ")
    return "<polyline points=\"\(line)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"\(dashes)/>\n"
  }

  private var legend: String {
    let left = Self.plot.right - 150
    var (text, row) = ("", 0.0)
    for (index, series) in series.enumerated() where !series.points.isEmpty && !series.name.isEmpty {
      let y = Self.plot.top + 14 + row * 18
      row += 1
      text +=
        "<rect x=\"\(left)\" y=\"\(y - 9)\" width=\"10\" height=\"10\" fill=\"\(Self.colours[series.colour ?? index % 7])\"/>\n"
      text += Self.text(series.name, x: left + 16, y: y, anchor: "start")
    }
    return text
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func label(_ value: Double) -> String {
    if value != 0, abs(value) >= 1e6 || abs(value) < 1e-3 { return String(format: "%.1g", value) }
    return String(format: "%g", value)
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
  }
}

/// From values to places on the picture.
private struct Scale {
  private let low: Double
  private let high: Double
  private let isLogarithmic: Bool
  private let start: Double
  private let end: Double
  let ticks: [Double]

  init(_ values: [Double], _ isLogarithmic: Bool, from start: Double, to end: Double) {
    self.isLogarithmic = isLogarithmic
    (self.start, self.end) = (start, end)
    let numbers = values.filter { !isLogarithmic || $0 > 0 }
    let (least, most) = (numbers.min() ?? (isLogarithmic ? 1 : 0), numbers.max() ?? 1)
    if isLogarithmic {
      // A little room on both sides.
      let room = max(1.05, pow(most / least, 0.04))
      (low, high) = (log10(least / room), log10(most * room))
      ticks = Self.powers(low, high)
    } else {
      let room = most > least ? (most - least) * 0.04 : max(abs(most), 1) * 0.1
      (low, high) = (least >= 0 && least < most / 4 ? 0 : least - room, most + room)
      ticks = Self.round(low, high)
    }
  }

  func place(_ value: Double) -> Double {
    let part = ((isLogarithmic ? log10(max(value, .leastNormalMagnitude)) : value) - low) / (high - low)
    return start + (end - start) * part
  }

  /// About six round numbers.
  private static func round(_ low: Double, _ high: Double) -> [Double] {
    let rough = (high - low) / 6
    let power = pow(10, floor(log10(rough)))
    let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
    return stride(from: (low / step).rounded(.up), through: (high / step).rounded(.down), by: 1).map { $0 * step }
  }

  /// Powers of ten, with 2 and 5 between them when these are few.
  private static func powers(_ low: Double, _ high: Double) -> [Double] {
    let factors: [Double] =
      high - low > 3 ? [1] : high - low > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]
    return (Int(low.rounded(.down))...Int(high.rounded(.up))).flatMap { power in
      factors.map { $0 * pow(10, Double(power)) }
    }.filter { log10($0) >= low && log10($0) <= high }
  }
}
