/// Writes JSON in a fixed order. (Parsing is simdjson's; Foundation's encoder can't keep the order of an object's members.)
public struct JSONText: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// `{"key": value, …}` in the order given, without white space.
  public mutating func object(_ members: [(key: String, value: (inout JSONText) -> Void)]) {
    list("{", "}", members) { text, member in
      text.string(member.key)
      text.literal(":")
      member.value(&text)
    }
  }

  public mutating func array<Element>(_ elements: [Element], _ write: (inout JSONText, Element) -> Void) {
    list("[", "]", elements, write)
  }

  private mutating func list<Element>(
    _ open: String, _ close: String, _ elements: [Element], _ write: (inout JSONText, Element) -> Void
  ) {
    literal(open)
    for (index, element) in elements.enumerated() {
      if index > 0 { literal(",") }
      write(&self, element)
    }
    literal(close)
  }

  /// A string, with what JSON asks to be escaped escaped, and nothing else: byte by byte what serde_json writes.
  public mutating func string(_ text: String) {
    literal("\"")
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0x08: literal("\\b")
      case UInt8(ascii: "\n"): literal("\\n")
      case 0x0C: literal("\\f")
      case UInt8(ascii: "\r"): literal("\\r")
      case UInt8(ascii: "\t"): literal("\\t")
      case 0..<0x20: literal("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
      default: bytes.append(byte)
      }
    }
    literal("\"")
  }

  /// Numbers, `true`, `false`, `null` and punctuation, as they are.
  public mutating func literal(_ text: String) { bytes += Array(text.utf8) }
}

extension JSONText {
  /// A parsed value, its members in their order, numbers in their shortest form.
  public mutating func value(_ value: JSONValue) {
    if let members = value.members {
      object(members.map { member in (member.key, { $0.value(member.value) }) })
    } else if let elements = value.array {
      array(elements) { $0.value($1) }
    } else if let text = value.string {
      string(text)
    } else if let flag = value.bool {
      literal(flag ? "true" : "false")
    } else if let number = value.int {
      literal("\(number)")
    } else if let number = value.uint64 {
      literal("\(number)")
    } else if let number = value.double {
      literal("\(number)")
    } else {
      literal("null")
    }
  }
}
