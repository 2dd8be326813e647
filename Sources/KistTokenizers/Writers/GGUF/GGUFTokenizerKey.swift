import KistCheckpoints
import KistCore

/// A key of a GGUF that says something of its tokenizer.
package struct GGUFTokenizerKey: Sendable {
  /// After `tokenizer.ggml.`, or whole when it begins with `tokenizer.`.
  package var name: String
  package var value: Value

  package enum Value: Sendable {
    case text(String)
    case flag(Bool)
    case id(UInt32)
    case strings([[UInt8]])
    case floats([Float])
    case integers([Int32])
    case bytes([UInt8])
  }

  init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }

  package var key: String { name.hasPrefix("tokenizer.") ? name : "tokenizer.ggml." + name }

  package func add(to writer: inout GGUFWriter) throws(KistError) {
    switch value {
    case .text(let text): try writer.add(key, GGUFValue.string(text))
    case .flag(let flag): try writer.add(key, .bool(flag))
    case .id(let id): try writer.add(key, .uint32(id))
    case .strings(let texts): try writer.add(key, strings: texts)
    case .floats(let numbers): try writer.add(key, floats: numbers)
    case .integers(let numbers): try writer.add(key, integers: numbers)
    case .bytes(let bytes): try writer.add(key, .array(of: .uint8, bytes.map { .uint8($0) }))
    }
  }
}
