/// The number format of a tensor's elements.
///
/// A dtype is a row of ``DType/all``: adding one is adding a row (and, when it has values to show, a case of its
/// ``Numbers``). Codes are those of spec/kist-format.md, names those of safetensors.
public struct DType: Sendable, Hashable {
  /// How the bits are read as numbers.
  public enum Numbers: Sendable, Hashable {
    case boolean
    case unsigned
    case signed
    /// A binary floating point format.
    case float(MiniFloat)
    /// IEEE formats that the processor knows.
    case ieee
    /// Two `ieee` numbers of half the width: real, imaginary.
    case complex
  }

  /// The code in a container's entry record.
  public let code: UInt16
  /// The name in a safetensors header.
  public let name: String
  /// Bits of one element.
  public let bitsPerElement: Int
  /// Fewest bytes that hold whole elements.
  public let unitByteCount: Int
  /// Bytes of the numbers that transforms work on.
  public let componentByteCount: Int
  public let numbers: Numbers

  private init(_ code: UInt16, _ name: String, bits: Int, unit: Int, component: Int, _ numbers: Numbers) {
    self.code = code
    self.name = name
    self.bitsPerElement = bits
    self.unitByteCount = unit
    self.componentByteCount = component
    self.numbers = numbers
  }

  private init(_ code: UInt16, _ name: String, bytes: Int, _ numbers: Numbers) {
    self.init(code, name, bits: 8 * bytes, unit: bytes, component: bytes, numbers)
  }

  public static func == (a: DType, b: DType) -> Bool { a.code == b.code }
  public func hash(into hasher: inout Hasher) { hasher.combine(code) }

  public static let bool = DType(1, "BOOL", bytes: 1, .boolean)
  public static let u8 = DType(2, "U8", bytes: 1, .unsigned)
  public static let i8 = DType(3, "I8", bytes: 1, .signed)
  public static let u16 = DType(4, "U16", bytes: 2, .unsigned)
  public static let i16 = DType(5, "I16", bytes: 2, .signed)
  public static let u32 = DType(6, "U32", bytes: 4, .unsigned)
  public static let i32 = DType(7, "I32", bytes: 4, .signed)
  public static let u64 = DType(8, "U64", bytes: 8, .unsigned)
  public static let i64 = DType(9, "I64", bytes: 8, .signed)
  public static let f16 = DType(16, "F16", bytes: 2, .float(.f16))
  public static let bf16 = DType(17, "BF16", bytes: 2, .float(.bf16))
  public static let f32 = DType(18, "F32", bytes: 4, .ieee)
  public static let f64 = DType(19, "F64", bytes: 8, .ieee)
  public static let c64 = DType(20, "C64", bits: 64, unit: 8, component: 4, .complex)
  public static let f8e4m3 = DType(32, "F8_E4M3", bytes: 1, .float(.f8e4m3))
  public static let f8e5m2 = DType(33, "F8_E5M2", bytes: 1, .float(.f8e5m2))
  public static let f8e8m0 = DType(34, "F8_E8M0", bytes: 1, .float(.f8e8m0))
  public static let f8e4m3fnuz = DType(35, "F8_E4M3FNUZ", bytes: 1, .float(.f8e4m3fnuz))
  public static let f8e5m2fnuz = DType(36, "F8_E5M2FNUZ", bytes: 1, .float(.f8e5m2fnuz))
  public static let f6e2m3 = DType(40, "F6_E2M3", bits: 6, unit: 3, component: 1, .float(.f6e2m3))
  public static let f6e3m2 = DType(41, "F6_E3M2", bits: 6, unit: 3, component: 1, .float(.f6e3m2))
  public static let f4 = DType(42, "F4", bits: 4, unit: 1, component: 1, .float(.f4))

  /// Every dtype, by code.
  public static let all: [DType] = [
    bool, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64, c64,
    f8e4m3, f8e5m2, f8e8m0, f8e4m3fnuz, f8e5m2fnuz, f6e2m3, f6e3m2, f4,
  ]

  private static let byCode: [DType?] = {
    var table = [DType?](repeating: nil, count: 64)
    for dtype in all { table[Int(dtype.code)] = dtype }
    return table
  }()

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  public init?(code: UInt16) {
    guard Int(code) < DType.byCode.count, let dtype = DType.byCode[Int(code)] else { return nil }
    self = dtype
  }

  /// Finds a dtype by its safetensors name, in any case: `BF16`, `f8_e4m3`.
  public init?(name: String) {
    guard let dtype = DType.byName[name] ?? DType.byName[name.uppercased()] else { return nil }
    self = dtype
  }

  /// Whether the numbers have a sign bit first, an exponent after it, and at least two bytes.
  public var hasFloatPlanes: Bool {
    switch self {
    case .f16, .bf16, .f32, .f64, .c64: true
    default: false
    }
  }

  /// Bytes of `elementCount` elements; nil when that overflows or does not end on a byte.
  public func byteCount(ofElements elementCount: Int) -> Int? {
    let (bits, overflow) = elementCount.multipliedReportingOverflow(by: bitsPerElement)
    guard !overflow, bits % 8 == 0 else { return nil }
    return bits / 8
  }
}

extension DType: CustomStringConvertible {
  public var description: String { name }
}
