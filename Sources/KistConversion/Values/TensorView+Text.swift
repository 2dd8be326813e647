import KistCore

extension TensorView {
  /// The values as numpy prints them: nested brackets, aligned columns, and only the edges of what has more than 1000
  /// elements.
  ///
  /// - Parameter width: Columns that a line may take.
  /// - Complexity: reads what is printed, and the chunks around it.
  public func text(width: Int = 75) throws(KistError) -> String {
    let dimensions = shape.dimensions
    if dimensions.isEmpty { return scalarText(try window().value(at: selection.element(at: []))) }
    let edges = selection.elementCount > 1000 ? 3 : Int.max
    let shown = dimensions.map { count in
      count > edges && count > 2 * edges
        ? Array(0..<edges) + [nil] + Array(count - edges..<count) : (0..<count).map { $0 }
    }
    var values: [TensorValue] = []
    let window = try window()
    try forEachIndex(shown) { index throws(KistError) in
      values.append(try window.value(at: selection.element(at: index)))
    }
    var cells = formatted(values).makeIterator()
    let layout = ArrayLayout(shown: shown, width: width, isEmpty: selection.elementCount == 0)
    return layout.text { cells.next() ?? "" }
  }

  /// Calls `body` with each index that is shown, in order.
  private func forEachIndex(
    _ shown: [[Int?]], _ prefix: [Int] = [], _ body: ([Int]) throws(KistError) -> Void
  ) throws(KistError) {
    guard prefix.count < shown.count else { return try body(prefix) }
    for place in shown[prefix.count] {
      if let place { try forEachIndex(shown, prefix + [place], body) }
    }
  }

  /// A number on its own has all its digits.
  private func scalarText(_ value: TensorValue) -> String {
    switch value {
    case .bool(let flag): flag ? "True" : "False"
    case .integer(let number): "\(number)"
    case .float(let number): dtype == .f64 ? "\(number)" : "\(Float(number))"
    case .complex(let real, let imaginary): "(\(Float(real))\(imaginary.sign == .minus ? "" : "+")\(Float(imaginary))j)"
    }
  }

  private func formatted(_ values: [TensorValue]) -> [String] {
    switch dtype.numbers {
    case .float, .ieee, .blocks:
      let form = FloatText(for: values.map(\.real), dtype: dtype)
      return values.map { form($0.real) }
    case .complex:
      let real = FloatText(for: values.map(\.real), dtype: dtype)
      let imaginary = FloatText(for: values.map(\.imaginary), dtype: dtype, showsPlus: true)
      return values.map { value in
        let text = imaginary(value.imaginary)
        let spaces = text.reversed().prefix { $0 == " " }
        return real(value.real) + text.dropLast(spaces.count) + "j" + spaces
      }
    case .boolean: return values.map { $0 == .bool(true) ? " True" : "False" }
    case .unsigned, .signed:
      let texts = values.map { if case .integer(let number) = $0 { "\(number)" } else { "" } }
      let width = texts.map(\.count).max() ?? 0
      return texts.map { String(repeating: " ", count: width - $0.count) + $0 }
    }
  }
}

extension TensorValue {
  /// The value, or the real part of it.
  var real: Double {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .integer(let number): Double(number)
    case .float(let number), .complex(let number, _): number
    }
  }

  var imaginary: Double { if case .complex(_, let number) = self { number } else { 0 } }
}

/// Puts cells between brackets.
private struct ArrayLayout {
  /// Of each dimension the indices that are shown; nil is the gap between the edges.
  var shown: [[Int?]]
  var width: Int
  var isEmpty: Bool

  func text(_ next: () -> String) -> String {
    if isEmpty { return "[]" }
    return text(axis: 0, next)
  }

  private func text(axis: Int, _ next: () -> String) -> String {
    let isRow = axis == shown.count - 1
    if isRow { return row(next) }
    let gap = String(repeating: "\n", count: shown.count - 1 - axis) + String(repeating: " ", count: axis + 1)
    let parts = shown[axis].map { $0 == nil ? "..." : text(axis: axis + 1, next) }
    return "[" + parts.joined(separator: gap) + "]"
  }

  /// One row, broken where it would become too long.
  private func row(_ next: () -> String) -> String {
    let indent = String(repeating: " ", count: shown.count)
    var lines = [indent]
    for place in shown[shown.count - 1] {
      let cell = place == nil ? "..." : next()
      let isFirst = lines[lines.count - 1].count == indent.count
      // The closing brackets of all dimensions may follow.
      if !isFirst, lines[lines.count - 1].count + 1 + cell.count + shown.count > width {
        lines.append(indent + cell)
      } else {
        lines[lines.count - 1] += (isFirst ? "" : " ") + cell
      }
    }
    return "[" + lines.joined(separator: "\n").dropFirst(indent.count) + "]"
  }
}
