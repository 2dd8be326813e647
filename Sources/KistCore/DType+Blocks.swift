// swift-format-ignore-file: AlwaysUseLowerCamelCase

/// GGML's block types: numbers of a row in blocks that share scales.
///
/// - Source: `ggml_type` and the `block_` structs of llama.cpp's ggml.h and ggml-common.h.
extension DType {
  /// Code of `ggml_type` 0.
  static let firstBlockCode: UInt16 = 256

  /// The number of a block type in a GGUF file; nil for other dtypes.
  public var ggmlBlockType: UInt32? { isBlockType ? UInt32(code - DType.firstBlockCode) : nil }

  /// The block type of that number.
  public init?(ggmlBlockType: UInt32) {
    guard let code = UInt16(exactly: UInt64(ggmlBlockType) + UInt64(DType.firstBlockCode)) else { return nil }
    self.init(code: code)
  }

  public static let q4_0 = DType(known: firstBlockCode + 2)
  public static let q4_1 = DType(known: firstBlockCode + 3)
  public static let q5_0 = DType(known: firstBlockCode + 6)
  public static let q5_1 = DType(known: firstBlockCode + 7)
  public static let q8_0 = DType(known: firstBlockCode + 8)
  public static let q8_1 = DType(known: firstBlockCode + 9)
  public static let q2_k = DType(known: firstBlockCode + 10)
  public static let q3_k = DType(known: firstBlockCode + 11)
  public static let q4_k = DType(known: firstBlockCode + 12)
  public static let q5_k = DType(known: firstBlockCode + 13)
  public static let q6_k = DType(known: firstBlockCode + 14)
  public static let q8_k = DType(known: firstBlockCode + 15)
  public static let iq2_xxs = DType(known: firstBlockCode + 16)
  public static let iq2_xs = DType(known: firstBlockCode + 17)
  public static let iq3_xxs = DType(known: firstBlockCode + 18)
  public static let iq1_s = DType(known: firstBlockCode + 19)
  public static let iq4_nl = DType(known: firstBlockCode + 20)
  public static let iq3_s = DType(known: firstBlockCode + 21)
  public static let iq2_s = DType(known: firstBlockCode + 22)
  public static let iq4_xs = DType(known: firstBlockCode + 23)
  public static let iq1_m = DType(known: firstBlockCode + 29)
  public static let tq1_0 = DType(known: firstBlockCode + 34)
  public static let tq2_0 = DType(known: firstBlockCode + 35)
  public static let mxfp4 = DType(known: firstBlockCode + 39)
  public static let nvfp4 = DType(known: firstBlockCode + 40)
  public static let q1_0 = DType(known: firstBlockCode + 41)
  public static let q2_0 = DType(known: firstBlockCode + 42)

  /// `ggml_type`, name, elements of a block, and its fields in order, each as (bytes of a component, components).
  ///
  /// What packs best decides what is a field: bytes that mean alike are one, whether the struct has them in one array or not.
  static let blockTable: [(ggmlType: UInt16, name: String, elementCount: Int, fields: [(Int, Int)])] = [
    (2, "Q4_0", 32, [(2, 1), (1, 16)]),
    (3, "Q4_1", 32, [(2, 1), (2, 1), (1, 16)]),
    (6, "Q5_0", 32, [(2, 1), (1, 4), (1, 16)]),
    (7, "Q5_1", 32, [(2, 1), (2, 1), (1, 4), (1, 16)]),
    (8, "Q8_0", 32, [(2, 1), (1, 32)]),
    (9, "Q8_1", 32, [(2, 1), (2, 1), (1, 32)]),
    (10, "Q2_K", 256, [(1, 16), (1, 64), (2, 1), (2, 1)]),
    // Of the 6-bit scales: the low halves, then the rest.
    (11, "Q3_K", 256, [(1, 32), (1, 64), (1, 8), (1, 4), (2, 1)]),
    // Of the 6-bit scales and minimums: four scales, four minimums, low halves of the others; the first eight bytes hold their rest.
    (12, "Q4_K", 256, [(2, 1), (2, 1), (1, 4), (1, 4), (1, 4), (1, 128)]),
    (13, "Q5_K", 256, [(2, 1), (2, 1), (1, 4), (1, 4), (1, 4), (1, 32), (1, 128)]),
    (14, "Q6_K", 256, [(1, 128), (1, 64), (1, 16), (2, 1)]),
    (15, "Q8_K", 256, [(4, 1), (1, 256), (2, 16)]),
    // Of 32 numbers: four places in the grid, four times 7 signs and the scale in the top bits.
    (16, "IQ2_XXS", 256, [(2, 1), (8, 8)]),
    (17, "IQ2_XS", 256, [(2, 1), (2, 32), (1, 8)]),
    (18, "IQ3_XXS", 256, [(2, 1), (1, 64), (4, 8)]),
    (19, "IQ1_S", 256, [(2, 1), (1, 32), (2, 8)]),
    (20, "IQ4_NL", 32, [(2, 1), (1, 16)]),
    (21, "IQ3_S", 256, [(2, 1), (1, 64), (1, 8), (1, 32), (1, 4)]),
    (22, "IQ2_S", 256, [(2, 1), (1, 32), (1, 32), (1, 8), (1, 8)]),
    (23, "IQ4_XS", 256, [(2, 1), (1, 2), (1, 4), (1, 128)]),
    // The top bits of four scales are those of the block's own.
    (29, "IQ1_M", 256, [(1, 32), (1, 16), (8, 1)]),
    (34, "TQ1_0", 256, [(1, 48), (1, 4), (2, 1)]),
    (35, "TQ2_0", 256, [(1, 64), (2, 1)]),
    (39, "MXFP4", 32, [(1, 1), (1, 16)]),
    (40, "NVFP4", 64, [(1, 4), (1, 32)]),
    (41, "Q1_0", 128, [(2, 1), (1, 16)]),
    (42, "Q2_0", 64, [(2, 1), (1, 16)]),
  ]
}

/// A part of a block: numbers of some bytes each, side by side. spec/kist-format.md, "Dtypes".
public struct BlockField: Sendable, Hashable {
  /// Bytes of one of the numbers.
  public var componentByteCount: Int
  public var componentCount: Int

  public init(componentByteCount: Int, componentCount: Int) {
    self.componentByteCount = componentByteCount
    self.componentCount = componentCount
  }

  public var byteCount: Int { componentByteCount * componentCount }
}
