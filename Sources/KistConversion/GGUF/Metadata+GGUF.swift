import KistCheckpoints
import KistCore
import KistFormat

extension GGUFFile {
  /// The keys with their values; of long lists the beginning.
  func metadataItems() throws(KistError) -> [(key: String, value: Metadata.Value)] {
    try header.items.map { item throws(KistError) in (item.key, try metadataValue(of: item)) }
  }

  func metadataValue(of item: GGUFHeader.Item) throws(KistError) -> Metadata.Value {
    guard let elements = item.elements else { return Metadata.Value(try value(of: item)) }
    let isNested = elements.type == .array
    let isWhole = !isNested && elements.count <= Metadata.List.maximumValueCount
    var values: [Metadata.Value] = []
    if !isNested, case .array(_, let found) = try value(of: item, atMost: Metadata.List.maximumValueCount) {
      values = found.map { Metadata.Value($0) }
    }
    let hash = unsafe try isWhole ? nil : withEncodedValue(of: item) { unsafe xxh3($0) }
    return .list(
      Metadata.List(elementType: elements.type.name, count: elements.count, values: values, hash: hash))
  }
}

extension Metadata.Value {
  /// A value that is no list.
  init(_ value: GGUFValue) {
    switch value {
    case .string(let bytes): self = .string(String(decoding: bytes, as: UTF8.self))
    case .bool(let flag): self = .bool(flag)
    case .float32, .float64: self = .float(value.float ?? 0, type: value.type.name)
    case .array(let type, let elements):
      self = .list(
        Metadata.List(elementType: type.name, count: elements.count, values: elements.map { Self($0) }, hash: nil))
    default: self = .integer(String(value.integer ?? 0), type: value.type.name)
    }
  }
}

extension GGUFValue {
  /// A key's value as GGUF has it.
  ///
  /// - Throws: `unsupported` for a list of which only the beginning is there.
  init(_ value: Metadata.Value, key: String) throws(KistError) {
    switch value {
    case .string(let text): self = .string(text)
    case .bool(let flag): self = .bool(flag)
    case .float(let number, let type): self = type == "f32" ? .float32(Float(number)) : .float64(number)
    case .integer(let digits, let type): self = try GGUFValue(digits: digits, type: type, key: key)
    case .list(let list):
      guard list.isWhole, let type = GGUFValueType(name: list.elementType) else {
        throw KistError(
          .unsupported, field: "key '\(key)'", "is a list whose end only the header that it came with has",
          advice: "take the key out with `kist edit unset`")
      }
      self = .array(of: type, try list.values.map { value throws(KistError) in try GGUFValue(value, key: key) })
    }
  }

  private init(digits: String, type: String, key: String) throws(KistError) {
    guard let number = Int128(digits), let value = GGUFValue(number, type: type) else {
      throw KistError(.damaged, field: "key '\(key)'", "\(digits) is not of type \(type)")
    }
    self = value
  }

  private init?(_ number: Int128, type: String) {
    func convert<Number: FixedWidthInteger>(_ make: (Number) -> GGUFValue) -> GGUFValue? {
      Number(exactly: number).map(make)
    }
    let value: GGUFValue? =
      switch GGUFValueType(name: type) {
      case .uint8: convert(GGUFValue.uint8)
      case .int8: convert(GGUFValue.int8)
      case .uint16: convert(GGUFValue.uint16)
      case .int16: convert(GGUFValue.int16)
      case .uint32: convert(GGUFValue.uint32)
      case .int32: convert(GGUFValue.int32)
      case .uint64: convert(GGUFValue.uint64)
      case .int64: convert(GGUFValue.int64)
      default: nil
      }
    guard let value else { return nil }
    self = value
  }
}
