import KistCore

/// The typed key-values of a model: `kist:metadata`. spec/kist-format.md, "Records".
public struct Metadata: Sendable, Equatable {
  /// A value and its type.
  public enum Value: Sendable, Equatable {
    case string(String)
    case bool(Bool)
    /// An integer of one of the types `u8 i8 u16 i16 u32 i32 u64 i64`.
    case integer(String, type: String)
    /// A number of one of the types `f32 f64`.
    case float(Double, type: String)
    /// Values of one type.
    case list(List)

    /// Floats are the same when they are the same number, or both none.
    public static func == (a: Value, b: Value) -> Bool {
      switch (a, b) {
      case (.string(let one), .string(let other)): one.utf8.elementsEqual(other.utf8)
      case (.bool(let one), .bool(let other)): one == other
      case (.integer(let one, let type), .integer(let other, let otherType)): one == other && type == otherType
      case (.float(let one, let type), .float(let other, let otherType)):
        type == otherType && (one.bitPattern == other.bitPattern || one.isNaN && other.isNaN)
      case (.list(let one), .list(let other)): one == other
      default: false
      }
    }
  }

  public struct Item: Sendable, Equatable {
    public var key: String
    public var value: Value
  }

  /// In the order of the source.
  public private(set) var items: [Item] = []

  public init() {}

  /// Keys and values in their order; of a key that is there more than once the first.
  package init(_ items: some Sequence<(key: String, value: Value)>) {
    var seen: Set<[UInt8]> = []
    for item in items where seen.insert(Array(item.key.utf8)).inserted {
      self.items.append(Item(key: item.key, value: item.value))
    }
  }

  public var isEmpty: Bool { items.isEmpty }

  /// The value of a key, compared byte by byte.
  public subscript(key: String) -> Value? {
    get { items.first { isSame($0.key, key) }?.value }
    set {
      let index = items.firstIndex { isSame($0.key, key) }
      switch (index, newValue) {
      case (let index?, let value?): items[index].value = value
      case (let index?, nil): items.remove(at: index)
      case (nil, let value?): items.append(Item(key: key, value: value))
      case (nil, nil): break
      }
    }
  }

  private func isSame(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}

extension Metadata.Value: CustomStringConvertible {
  public var type: String {
    switch self {
    case .string: "string"
    case .bool: "bool"
    case .integer(_, let type), .float(_, let type): type
    case .list: "array"
    }
  }

  public var description: String {
    switch self {
    case .string(let text): text
    case .bool(let flag): String(flag)
    case .integer(let digits, _): digits
    case .float(let number, let type): type == "f32" ? String(Float(number)) : String(number)
    case .list(let list): list.description
    }
  }

  /// The types that a value given as text can have.
  package static let types: Set<String> = Set(["string", "bool", "f32", "f64"] + integerRanges.keys)

  private static let integerRanges: [String: ClosedRange<Int128>] = [
    "u8": 0...255, "i8": -128...127, "u16": 0...65535, "i16": -32768...32767,
    "u32": 0...Int128(UInt32.max), "i32": Int128(Int32.min)...Int128(Int32.max),
    "u64": 0...Int128(UInt64.max), "i64": Int128(Int64.min)...Int128(Int64.max),
  ]

  /// Reads text as a value of a type.
  ///
  /// - Throws: `invalid` when the type is not known or the text is not of it.
  public init(_ text: String, type: String) throws(KistError) {
    let failure = KistError(.invalid, field: "metadata", "'\(text)' is not a value of type \(type)")
    switch type {
    case "string": self = .string(text)
    case "bool":
      guard let flag = Bool(text) else { throw failure }
      self = .bool(flag)
    case "f32", "f64":
      guard let number = Double(text), number.isFinite else { throw failure }
      self = .float(type == "f32" ? Double(Float(number)) : number, type: type)
    case "array":
      throw KistError(
        .unsupported, field: "metadata", "is a list, and lists can't be given as text",
        advice: "take the key out with unset, or give it another type with key:type=value")
    default:
      guard let range = Self.integerRanges[type] else {
        throw KistError(
          .invalid, field: "metadata", "'\(type)' is not a type",
          advice: "the types are string, bool, u8 to i64, f32 and f64")
      }
      guard let number = Int128(text), range.contains(number) else { throw failure }
      self = .integer(String(number), type: type)
    }
  }
}

extension Metadata {
  /// Reads the record's JSON.
  package init(decoding bytes: [UInt8]) throws(KistError) {
    func damage(_ problem: String) -> KistError { KistError(.damaged, field: RecordName.metadata, problem) }
    let document: JSONDocument
    do throws(KistError) { unsafe document = try JSONDocument(bytes.span.bytes, depth: 8) } catch {
      throw damage(error.problem)
    }
    guard let members = document.root.members else { throw damage("not a JSON object") }
    var seen: Set<[UInt8]> = []
    for (key, member) in members {
      guard let type = member["type"]?.string, let value = member["value"] else {
        throw damage("'\(key)' has no type and value")
      }
      guard seen.insert(Array(key.utf8)).inserted else { throw damage("'\(key)' is there twice") }
      do { items.append(Item(key: key, value: try Value(value, type: type))) } catch {
        throw damage("'\(key)': \(error.problem)")
      }
    }
  }

  /// The record's JSON.
  package func encoded() -> [UInt8] {
    var text = JSONText()
    text.object(
      items.map { item in
        (
          item.key,
          { text in
            text.object([("type", { $0.string(item.value.type) }), ("value", { item.value.write(&$0) })])
          }
        )
      })
    return text.bytes
  }
}
