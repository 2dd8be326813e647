import KistCore

/// Writes the components of a pipeline as JSON in the words of tokenizer.json, and in those that compiled tokenizers add to them.
struct ComponentWriter {
  /// Character maps go here, and a reference to them into the text; nil writes them into the text, as tokenizer.json does.
  private(set) var charsmaps: [UInt8]?
  private(set) var text = JSONText()

  /// What the words of tokenizer.json can say.
  static let tokenizers = ComponentWriter(charsmaps: nil)
  /// What a compiled tokenizer says.
  static let compiled = ComponentWriter(charsmaps: [])

  private init(charsmaps: [UInt8]?) { self.charsmaps = charsmaps }

  /// `{"type": …, …}` from names and what writes their values.
  mutating func object(_ members: [(String, (inout ComponentWriter) -> Void)]) {
    text.literal("{")
    for (index, (name, write)) in members.enumerated() {
      if index > 0 { text.literal(",") }
      text.string(name)
      text.literal(":")
      write(&self)
    }
    text.literal("}")
  }

  mutating func component(_ type: String, _ members: [(String, (inout ComponentWriter) -> Void)] = []) {
    object([("type", Self.string(type))] + members)
  }

  mutating func array<Element>(_ elements: [Element], _ write: (inout ComponentWriter, Element) -> Void) {
    text.literal("[")
    for (index, element) in elements.enumerated() {
      if index > 0 { text.literal(",") }
      write(&self, element)
    }
    text.literal("]")
  }

  mutating func literal(_ literal: String) { text.literal(literal) }
  mutating func string(_ string: String) { text.string(string) }

  /// A string; bytes that are not UTF-8 as `{"base64": …}`.
  mutating func bytes(_ bytes: [UInt8]) {
    if let string = String(validating: bytes, as: UTF8.self) {
      text.string(string)
    } else {
      object([("base64", Self.string(String(decoding: Base64.encode(bytes), as: UTF8.self)))])
    }
  }

  mutating func charsmap(_ charsmap: [UInt8]) {
    guard let offset = charsmaps?.count else {
      text.string(String(decoding: Base64.encode(charsmap), as: UTF8.self))
      return
    }
    charsmaps?.append(contentsOf: charsmap)
    object([("offset", Self.number(offset)), ("count", Self.number(charsmap.count))])
  }
}

// Writers of single values, to be named in lists of members.
extension ComponentWriter {
  typealias Write = (inout ComponentWriter) -> Void

  static func string(_ string: String) -> Write { { $0.string(string) } }
  static func bytes(_ bytes: [UInt8]) -> Write { { $0.bytes(bytes) } }
  static func bool(_ bool: Bool) -> Write { { $0.literal(bool ? "true" : "false") } }
  static func bool(_ bool: Bool?) -> Write { { $0.literal(bool.map { $0 ? "true" : "false" } ?? "null") } }
  static func number<Number: BinaryInteger>(_ number: Number) -> Write { { $0.literal("\(number)") } }
  static func number<Number: BinaryInteger>(_ number: Number?) -> Write {
    { $0.literal(number.map { "\($0)" } ?? "null") }
  }
  static func number(_ number: Double?) -> Write { { $0.literal(number.map { "\($0)" } ?? "null") } }
  static func charsmap(_ charsmap: [UInt8]) -> Write { { $0.charsmap(charsmap) } }
  static func scalar(_ scalar: Unicode.Scalar) -> Write { { $0.string(String(Character(scalar))) } }
  static func list<Element>(_ elements: [Element], _ write: @escaping (inout ComponentWriter, Element) -> Void) -> Write
  {
    { $0.array(elements, write) }
  }

  static func optional<Value>(
    _ value: Value?, _ write: @escaping (inout ComponentWriter, Value) -> Void
  ) -> Write {
    { writer in
      if let value { write(&writer, value) } else { writer.literal("null") }
    }
  }
}
