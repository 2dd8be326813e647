import KistCore

/// Numbers of tensor types in a GGUF: `ggml_type` of llama.cpp's ggml.h.
extension DType {
  /// Those that are not block types.
  private static let plainTypes: [(ggmlType: UInt32, dtype: DType)] = [
    (0, .f32), (1, .f16), (24, .i8), (25, .i16), (26, .i32), (27, .i64), (28, .f64), (30, .bf16),
  ]

  /// Types that GGUF files had once, and whose blocks nobody reads any more.
  private static let removedTypes: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8",
    38: "IQ4_NL_8_8",
  ]

  /// The number of this dtype in a GGUF; nil when GGML has no such type.
  package var ggmlType: UInt32? { ggmlBlockType ?? DType.plainTypes.first { $0.dtype == self }?.ggmlType }

  /// The dtype of a number in a GGUF.
  ///
  /// - Throws: `unsupported` when there is none.
  package init(ggmlType: UInt32) throws(KistError) {
    if let plain = DType.plainTypes.first(where: { $0.ggmlType == ggmlType }) {
      self = plain.dtype
    } else if let block = DType(ggmlBlockType: ggmlType) {
      self = block
    } else if let name = DType.removedTypes[ggmlType] {
      throw KistError(
        .unsupported, "\(name) (\(ggmlType)) is a type that llama.cpp has removed",
        advice: "quantize the model again with a newer llama.cpp")
    } else {
      throw KistError(.unsupported, "\(ggmlType) is no tensor type that this Kist knows", advice: "use a newer Kist")
    }
  }
}
