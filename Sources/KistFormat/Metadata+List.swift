import KistCore

extension Metadata {
  /// A list of values of one type. Of a long one only the beginning is here; the whole is in the header of the weight file.
  public struct List: Sendable, Equatable {
    /// A type of values, or `array`.
    public var elementType: String
    public var count: Int
    /// The first ``maximumValueCount`` elements; none of an array of arrays.
    public var values: [Value]
    /// XXH3-64 of the list as its weight file has it; nil when all elements are here.
    public var hash: UInt64?

    /// Longer lists are not repeated in the record.
    package static let maximumValueCount = 64

    package init(elementType: String, count: Int, values: [Value], hash: UInt64?) {
      self.elementType = elementType
      self.count = count
      self.values = values
      self.hash = hash
    }

    public var isWhole: Bool { hash == nil }
  }
}

extension Metadata.List: CustomStringConvertible {
  /// `[1, 2, 3]`, and of a long list the beginning and how many there are.
  public var description: String {
    guard !isWhole else { return "[\(values.map(\.description).joined(separator: ", "))]" }
    let beginning = values.prefix(8).map(\.description)
    return "[\((beginning + ["…"]).joined(separator: ", "))] (\(count))"
  }
}

extension Metadata.Value {
  /// Whether this is the beginning of a list, whose whole only the weight file's header has.
  package var isPartial: Bool { if case .list(let list) = self { !list.isWhole } else { false } }
}

// MARK: - The record

extension Metadata.List {
  /// Reads `{"of": T, "values": […]}`, with `count` and `xxh3` when that is only the beginning.
  init?(_ value: JSONValue) throws(KistError) {
    guard let type = value["of"]?.string, let members = value["values"]?.array else { return nil }
    elementType = type
    values = try members.map { member throws(KistError) in try Metadata.Value(member, type: type) }
    count = values.count
    hash = nil
    guard let text = value["xxh3"]?.string else { return }
    guard text.utf8.count == 16, let number = UInt64(text, radix: 16), let total = value["count"]?.int,
      total >= values.count
    else { return nil }
    (hash, count) = (number, total)
  }

  func write(_ text: inout JSONText) {
    var members: [(key: String, value: (inout JSONText) -> Void)] = [
      ("of", { $0.string(elementType) }),
      ("values", { $0.array(values) { $1.write(&$0) } }),
    ]
    if let hash {
      let digits = String(hash, radix: 16)
      members.append(("count", { $0.literal(String(count)) }))
      members.append(("xxh3", { $0.string(String(repeating: "0", count: 16 - digits.count) + digits) }))
    }
    text.object(members)
  }
}

extension Metadata.Value {
  /// Reads a value of the record.
  ///
  /// - Throws: `invalid` when the JSON is not of the type.
  init(_ value: JSONValue, type: String) throws(KistError) {
    let failure = KistError(.invalid, field: "metadata", "is not a value of type \(type)")
    if type == "array" {
      guard let list = try Metadata.List(value) else { throw failure }
      self = .list(list)
    } else if type == "f32" || type == "f64", let number = value.string.flatMap({ Self.nonFinite[$0] }) {
      self = .float(number, type: type)
    } else {
      guard let text = value.scalarText else { throw failure }
      try self.init(text, type: type)
    }
  }

  func write(_ text: inout JSONText) {
    switch self {
    case .string(let string): text.string(string)
    case .list(let list): list.write(&text)
    case .float(let number, _):
      if number.isFinite {
        text.literal(String(number))
      } else {
        text.string(number.isNaN ? "nan" : number < 0 ? "-inf" : "inf")
      }
    default: text.literal("\(self)")
    }
  }

  /// What JSON has no numbers for.
  private static let nonFinite: [String: Double] = ["nan": .nan, "inf": .infinity, "-inf": -.infinity]
}

extension JSONValue {
  /// A string, number or boolean as text.
  fileprivate var scalarText: String? {
    string ?? bool.map(String.init) ?? uint64.map(String.init) ?? int.map(String.init) ?? double.map { String($0) }
  }
}
