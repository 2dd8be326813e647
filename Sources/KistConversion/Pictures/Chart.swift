import Foundation
import KistCore

/// Curves and points over two axes.
struct Chart: Sendable {
  struct Point: Sendable {
    var x: Double
    var y: Double
  }

  struct Series: Sendable {
    enum Style: Sendable { case line, marks }
    /// What the legend calls it; nothing leaves it out.
    var name: String
    var points: [Point]
    var style: Style
    /// Which of the colours.
    var colour: Int
  }

  struct Axis: Sendable {
    var title: String
    var isLogarithmic = false
  }

  var title: String
  var summary: String
  var x: Axis
  var y: Axis
  var series: [Series]

  private static let size = (width: 720.0, height: 440.0)
  private static let plot = (left: 70.0, right: 700.0, top: 50.0, bottom: 380.0)
  /// CSS classes: three colours of the palette, then the same fainter.
  private static let colourCount = 6

  private static let styles = """
    .c0{--own:var(--accent)}.c1{--own:var(--second)}.c2{--own:var(--third)}.c3{--own:rgb(var(--heat))}\
    .c4{--own:var(--soft)}.c5{--own:var(--ink)}.curve{fill:none;stroke:var(--own);stroke-width:2}.dot{fill:var(--own)}\
    .heading{font-size:16px;font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}
    """

  var picture: SVGPicture {
    let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let plot = Self.plot
    let horizontal = ChartScale(points.map(\.x), x.isLogarithmic, from: plot.left, to: plot.right)
    let vertical = ChartScale(points.map(\.y), y.isLogarithmic, from: plot.bottom, to: plot.top)
    let heading: Markup = .element("text", ["class": "heading", "x": plot.left.svg, "y": "26"], title)
    let curves = series.flatMap { drawn($0, horizontal, vertical) }
    return SVGPicture(
      title: title, summary: summary, width: Self.size.width, height: Self.size.height,
      content: [heading] + axes(horizontal, vertical) + curves + legend, styles: Self.styles)
  }

  private func axes(_ horizontal: ChartScale, _ vertical: ChartScale) -> [Markup] {
    let plot = Self.plot
    let columns = horizontal.ticks.flatMap { value -> [Markup] in
      let place = horizontal.place(value)
      return [
        Self.line(from: Point(x: place, y: plot.top), to: Point(x: place, y: plot.bottom)),
        Self.label(Self.number(value), "soft middle", x: place, y: plot.bottom + 20),
      ]
    }
    let rows = vertical.ticks.flatMap { value -> [Markup] in
      let place = vertical.place(value)
      return [
        Self.line(from: Point(x: plot.left, y: place), to: Point(x: plot.right, y: place)),
        Self.label(Self.number(value), "soft end", x: plot.left - 8, y: place + 4),
      ]
    }
    let middle = (plot.top + plot.bottom) / 2
    return columns + rows + [
      Self.label(x.title, "middle", x: (plot.left + plot.right) / 2, y: plot.bottom + 44),
      .element("text", ["class": "middle", "transform": "translate(18 \(middle.svg)) rotate(-90)"], y.title),
    ]
  }

  private func drawn(_ series: Series, _ horizontal: ChartScale, _ vertical: ChartScale) -> [Markup] {
    let colour = "c\(series.colour % Self.colourCount)"
    let places = series.points.filter { $0.x.isFinite && $0.y.isFinite }.map {
      (x: horizontal.place($0.x).svg, y: vertical.place($0.y).svg)
    }
    guard series.style == .line else {
      return places.map { .element("circle", ["class": "dot \(colour)", "cx": $0.x, "cy": $0.y, "r": "3.5"]) }
    }
    let line = places.map { "\($0.x),\($0.y)" }.joined(separator: " ")
    return [.element("polyline", ["class": "curve \(colour)", "points": line])]
  }

  private var legend: [Markup] {
    // In a row between heading and curves.
    let y = Self.plot.top - 8
    return series.filter { !$0.points.isEmpty && !$0.name.isEmpty }.enumerated().flatMap { place, series -> [Markup] in
      let left = Self.plot.left + 6 + Double(place) * 108
      return [
        .element(
          "circle",
          ["class": "dot c\(series.colour % Self.colourCount)", "cx": left.svg, "cy": (y - 4).svg, "r": "5"]),
        Self.label(series.name, "", x: left + 12, y: y),
      ]
    }
  }

  private static func line(from: Point, to: Point) -> Markup {
    .element("line", ["class": "line", "x1": from.x.svg, "y1": from.y.svg, "x2": to.x.svg, "y2": to.y.svg])
  }

  private static func label(_ text: String, _ kind: String, x: Double, y: Double) -> Markup {
    .element("text", ["class": kind, "x": x.svg, "y": y.svg], text)
  }

  private static func number(_ value: Double) -> String {
    value != 0 && (abs(value) >= 1e6 || abs(value) < 1e-3) ? String(format: "%.2g", value) : String(format: "%g", value)
  }
}

/// From values to places on the picture.
struct ChartScale: Sendable {
  private let low: Double
  private let high: Double
  private let isLogarithmic: Bool
  private let start: Double
  private let end: Double
  /// Round values to draw lines at.
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

  /// Powers of ten, with others between them when these are few.
  private static func powers(_ low: Double, _ high: Double) -> [Double] {
    let factors: [Double] =
      high - low > 3 ? [1] : high - low > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]
    return (Int(low.rounded(.down))...Int(high.rounded(.up))).flatMap { power in
      factors.map { $0 * pow(10, Double(power)) }
    }.filter { log10($0) >= low && log10($0) <= high }
  }
}
