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
    /// Numbers that share scales: they are read a block at a time.
    case blocks
  }

  /// The code in a container's entry record; everything else stands in the row of that code.
  public let code: UInt16

  private struct Row {
    var name: String
    var bitsPerElement: Int
    var unitByteCount: Int
    var unitElementCount: Int
    var componentByteCount: Int
    var numbers: Numbers
    var blockFields: [BlockField] = []
  }

  init(known code: UInt16) { self.code = code }

  private var row: Row { DType.rows[Int(code)] }

  /// The name in a safetensors header, or ggml's.
  public var name: String { row.name }
  /// Bits of one element; 0 for block types, whose elements can't be cut out of their block.
  public var bitsPerElement: Int { row.bitsPerElement }
  /// Bytes of a unit: a block, or the fewest bytes that hold whole elements.
  public var unitByteCount: Int { row.unitByteCount }
  /// Elements of a unit: 256 for Q4_K, 4 for F6_E2M3, mostly 1.
  public var unitElementCount: Int { row.unitElementCount }
  /// Bits that an element takes with its share of the scales.
  public var meanBitsPerElement: Double { Double(unitByteCount * 8) / Double(unitElementCount) }
  /// Bytes of the numbers that transforms work on.
  public var componentByteCount: Int { row.componentByteCount }
  public var numbers: Numbers { row.numbers }
  /// What a block consists of, in order; of other dtypes nothing.
  public var blockFields: [BlockField] { row.blockFields }

  public static let bool = DType(known: 1)
  public static let u8 = DType(known: 2)
  public static let i8 = DType(known: 3)
  public static let u16 = DType(known: 4)
  public static let i16 = DType(known: 5)
  public static let u32 = DType(known: 6)
  public static let i32 = DType(known: 7)
  public static let u64 = DType(known: 8)
  public static let i64 = DType(known: 9)
  public static let f16 = DType(known: 16)
  public static let bf16 = DType(known: 17)
  public static let f32 = DType(known: 18)
  public static let f64 = DType(known: 19)
  public static let c64 = DType(known: 20)
  public static let f8e4m3 = DType(known: 32)
  public static let f8e5m2 = DType(known: 33)
  public static let f8e8m0 = DType(known: 34)
  public static let f8e4m3fnuz = DType(known: 35)
  public static let f8e5m2fnuz = DType(known: 36)
  public static let f6e2m3 = DType(known: 40)
  public static let f6e3m2 = DType(known: 41)
  public static let f4 = DType(known: 42)

  /// Dtype, name, bits of an element, bytes of a unit, bytes of a component, numbers.
  private static let table: [(DType, String, Int, Int, Int, Numbers)] = [
    (bool, "BOOL", 8, 1, 1, .boolean),
    (u8, "U8", 8, 1, 1, .unsigned),
    (i8, "I8", 8, 1, 1, .signed),
    (u16, "U16", 16, 2, 2, .unsigned),
    (i16, "I16", 16, 2, 2, .signed),
    (u32, "U32", 32, 4, 4, .unsigned),
    (i32, "I32", 32, 4, 4, .signed),
    (u64, "U64", 64, 8, 8, .unsigned),
    (i64, "I64", 64, 8, 8, .signed),
    (f16, "F16", 16, 2, 2, .float(.f16)),
    (bf16, "BF16", 16, 2, 2, .float(.bf16)),
    (f32, "F32", 32, 4, 4, .ieee),
    (f64, "F64", 64, 8, 8, .ieee),
    (c64, "C64", 64, 8, 4, .complex),
    (f8e4m3, "F8_E4M3", 8, 1, 1, .float(.f8e4m3)),
    (f8e5m2, "F8_E5M2", 8, 1, 1, .float(.f8e5m2)),
    (f8e8m0, "F8_E8M0", 8, 1, 1, .float(.f8e8m0)),
    (f8e4m3fnuz, "F8_E4M3FNUZ", 8, 1, 1, .float(.f8e4m3fnuz)),
    (f8e5m2fnuz, "F8_E5M2FNUZ", 8, 1, 1, .float(.f8e5m2fnuz)),
    (f6e2m3, "F6_E2M3", 6, 3, 1, .float(.f6e2m3)),
    (f6e3m2, "F6_E3M2", 6, 3, 1, .float(.f6e3m2)),
    (f4, "F4", 4, 1, 1, .float(.f4)),
  ]

  /// Every dtype, by code.
  public static let all: [DType] = table.map(\.0) + blockTypes

  /// Every block type, by code.
  public static let blockTypes: [DType] = blockTable.map { DType(known: firstBlockCode + $0.ggmlType) }

  /// Rows by code; codes that are not dtypes have units of no bytes.
  private static let rows: [Row] = {
    let none = Row(
      name: "", bitsPerElement: 0, unitByteCount: 0, unitElementCount: 1, componentByteCount: 1, numbers: .unsigned)
    var rows = [Row](repeating: none, count: 512)
    for (dtype, name, bits, unit, component, numbers) in table {
      rows[Int(dtype.code)] = Row(
        name: name, bitsPerElement: bits, unitByteCount: unit, unitElementCount: unit * 8 / bits,
        componentByteCount: component, numbers: numbers)
    }
    for (ggmlType, name, elements, pairs) in blockTable {
      let fields = pairs.map { BlockField(componentByteCount: $0, componentCount: $1) }
      rows[Int(firstBlockCode + ggmlType)] = Row(
        name: name, bitsPerElement: 0, unitByteCount: fields.reduce(0) { $0 + $1.byteCount },
        unitElementCount: elements, componentByteCount: 1, numbers: .blocks, blockFields: fields)
    }
    return rows
  }()

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  public init?(code: UInt16) {
    guard code < DType.rows.count, DType.rows[Int(code)].unitByteCount > 0 else { return nil }
    self.code = code
  }

  /// Finds a dtype by its name, in any case: `BF16`, `f8_e4m3`, `q4_k`.
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

  /// Whether elements come in blocks that share scales.
  public var isBlockType: Bool { numbers == .blocks }

  /// Bytes of `elementCount` elements; nil when that overflows, does not end on a byte or cuts a block.
  public func byteCount(ofElements elementCount: Int) -> Int? {
    guard !isBlockType else {
      let (bytes, overflow) = (elementCount / unitElementCount).multipliedReportingOverflow(by: unitByteCount)
      return overflow || elementCount % unitElementCount != 0 ? nil : bytes
    }
    let (bits, overflow) = elementCount.multipliedReportingOverflow(by: bitsPerElement)
    guard !overflow, bits % 8 == 0 else { return nil }
    return bits / 8
  }
}

extension DType: CustomStringConvertible {
  public var description: String { name }
}
