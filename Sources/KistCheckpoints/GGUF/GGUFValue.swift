/// The type of a value in a GGUF's metadata. Raw values and names: `gguf_type` of llama.cpp's gguf.h and gguf.cpp.
public enum GGUFValueType: UInt32, Sendable {
  case uint8 = 0
  case int8 = 1
  case uint16 = 2
  case int16 = 3
  case uint32 = 4
  case int32 = 5
  case float32 = 6
  case bool = 7
  case string = 8
  case array = 9
  case uint64 = 10
  case int64 = 11
  case float64 = 12

  /// Bytes of a value; nil for strings and arrays, which say how long they are.
  var byteCount: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }

  /// Fewest bytes that a value takes.
  var minimumByteCount: Int { byteCount ?? (self == .string ? 8 : 12) }

  /// `u8`, `f32`, `string`, `array`: as in a container's metadata.
  public var name: String {
    switch self {
    case .uint8: "u8"
    case .int8: "i8"
    case .uint16: "u16"
    case .int16: "i16"
    case .uint32: "u32"
    case .int32: "i32"
    case .float32: "f32"
    case .bool: "bool"
    case .string: "string"
    case .array: "array"
    case .uint64: "u64"
    case .int64: "i64"
    case .float64: "f64"
    }
  }

  /// The type of that name.
  public init?(name: String) {
    guard let type = GGUFValueType.all.first(where: { $0.name == name }) else { return nil }
    self = type
  }

  private static let all = (0...12).compactMap(GGUFValueType.init(rawValue:))
}

/// A value of a GGUF's metadata, to be written or as it was read.
public enum GGUFValue: Sendable, Equatable {
  case uint8(UInt8)
  case int8(Int8)
  case uint16(UInt16)
  case int16(Int16)
  case uint32(UInt32)
  case int32(Int32)
  case float32(Float)
  case bool(Bool)
  /// UTF-8, as far as the file keeps to the specification.
  case string([UInt8])
  case uint64(UInt64)
  case int64(Int64)
  case float64(Double)
  /// Values of one type; an array of arrays has arrays as they come.
  case array(of: GGUFValueType, [GGUFValue])

  public static func string(_ text: String) -> GGUFValue { .string(Array(text.utf8)) }

  public var type: GGUFValueType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .float32: .float32
    case .bool: .bool
    case .string: .string
    case .uint64: .uint64
    case .int64: .int64
    case .float64: .float64
    case .array: .array
    }
  }

  /// An integer of any type.
  public var integer: Int128? {
    switch self {
    case .uint8(let value): Int128(value)
    case .int8(let value): Int128(value)
    case .uint16(let value): Int128(value)
    case .int16(let value): Int128(value)
    case .uint32(let value): Int128(value)
    case .int32(let value): Int128(value)
    case .uint64(let value): Int128(value)
    case .int64(let value): Int128(value)
    default: nil
    }
  }

  /// A float of either type.
  public var float: Double? {
    switch self {
    case .float32(let value): Double(value)
    case .float64(let value): value
    default: nil
    }
  }
}
