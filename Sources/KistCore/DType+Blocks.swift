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

  /// `ggml_type`, name, elements of a block, bytes of a block.
  static let blockTable: [(ggmlType: UInt16, name: String, elementCount: Int, byteCount: Int)] = [
    (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20), (6, "Q5_0", 32, 22), (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34),
    (9, "Q8_1", 32, 36),
    (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110), (12, "Q4_K", 256, 144), (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210), (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66), (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98), (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18), (21, "IQ3_S", 256, 110), (22, "IQ2_S", 256, 82), (23, "IQ4_XS", 256, 136),
    (29, "IQ1_M", 256, 56),
    (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66), (39, "MXFP4", 32, 17), (40, "NVFP4", 64, 36),
    (41, "Q1_0", 128, 18), (42, "Q2_0", 64, 18),
  ]
}
