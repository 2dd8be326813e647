import KistCore

/// A value of a config.json that is written.
public indirect enum ConfigValue: Sendable, Equatable {
  case null
  case value(ParameterValue)
  case object([String: ConfigValue])
  case list([ConfigValue])
}

extension ConfigValue {
  /// The value as JSON over several lines, with members in alphabetical order, as transformers writes it.
  public var text: String { text(indent: "") + "\n" }

  private func text(indent: String) -> String {
    switch self {
    case .null: return "null"
    case .value(let value): return value.json
    case .list(let elements):
      let inner = indent + "  "
      return "[\n" + elements.map { inner + $0.text(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
    case .object(let members):
      guard !members.isEmpty else { return "{}" }
      let inner = indent + "  "
      let lines = members.sorted { $0.key < $1.key }.map { key, value in
        "\(inner)\(ParameterValue.text(key).json): \(value.text(indent: inner))"
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    }
  }
}

extension ParameterValue {
  /// The value as JSON: of numbers the fewest digits that say them, as f32 where they are such.
  var json: String {
    switch self {
    case .flag(let flag): return "\(flag)"
    case .integer(let number): return "\(number)"
    case .number(let number):
      // JSON has no other numbers.
      guard number.isFinite else { return "null" }
      return Double(Float(number)) == number ? "\(Float(number))" : "\(number)"
    case .text(let text):
      var json = JSONText()
      json.string(text)
      return String(decoding: json.bytes, as: UTF8.self)
    case .list(let values): return "[" + values.map(\.json).joined(separator: ", ") + "]"
    }
  }
}
