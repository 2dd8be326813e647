import KistCore

extension TensorView {
  /// Hands on the values as nested JSON arrays, a row at a time: integers with all their digits, floats with the fewest
  /// that are read back as the same number, what JSON does not have as the strings nan, inf and -inf, complex numbers
  /// as two numbers.
  public func writeJSON(_ write: (String) -> Void) throws(KistError) {
    try writeJSON(try window(), [], write)
  }

  private func writeJSON(_ window: TensorWindow, _ prefix: [Int], _ write: (String) -> Void) throws(KistError) {
    let dimensions = shape.dimensions
    guard prefix.count < dimensions.count else {
      return write(jsonText(try window.value(at: selection.element(at: prefix))))
    }
    write("[")
    for place in 0..<dimensions[prefix.count] {
      if place > 0 { write(",") }
      try writeJSON(window, prefix + [place], write)
    }
    write("]")
  }

  private func jsonText(_ value: TensorValue) -> String {
    switch value {
    case .bool(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .float(let number): jsonText(number)
    case .complex(let real, let imaginary): "[\(jsonText(real)),\(jsonText(imaginary))]"
    }
  }

  private func jsonText(_ number: Double) -> String {
    guard number.isFinite else { return number.isNaN ? "\"nan\"" : number < 0 ? "\"-inf\"" : "\"inf\"" }
    return dtype == .f64 ? "\(number)" : "\(Float(number))"
  }
}
