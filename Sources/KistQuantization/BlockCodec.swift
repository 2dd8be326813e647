import CKernels
import KistCore

/// What can be done with a block type: its blocks as f32, and back.
///
/// Every result is, bit for bit, that of llama.cpp's `ggml-quants.c`; NaNs are NaNs, but not the same ones. All functions
/// may be called from several threads at a time; dequantizing allocates nothing.
///
/// ```swift
/// guard let codec = BlockCodec(.q4_k) else { … }
/// unsafe codec.dequantize(blocks: bytes, into: values)  // bytes: n blocks; values: n × 256 numbers
/// ```
///
/// To read rows of any dtype, block type or not, use ``RowDecoder``.
@safe public struct BlockCodec: Sendable {
  /// A kind of processor that kernels are compiled for.
  package enum Level: Int32, CaseIterable, Sendable {
    case baseline, avx2, avx512

    /// The highest that this processor can run.
    static let best = Level(rawValue: kist_best_level()) ?? .baseline
    /// All that this processor can run.
    package static var runnable: [Level] { allCases.filter { $0.rawValue <= best.rawValue } }
  }

  public let dtype: DType
  let kernels: kist_block_kernels

  /// - Returns: nil when the dtype is no block type.
  public init?(_ dtype: DType) {
    guard dtype.isBlockType, let codec = BlockCodec.byCode[Int(dtype.code & 255)] else { return nil }
    self = codec
  }

  /// - Returns: nil when the dtype is no block type, or the processor can't run that level.
  package init?(_ dtype: DType, level: Level) {
    guard let type = dtype.ggmlBlockType, let kernels = unsafe kist_find_block_kernels(level.rawValue, type) else {
      return nil
    }
    self.dtype = dtype
    unsafe self.kernels = kernels.pointee
  }

  /// Of the best level; by the lower byte of the dtype's code.
  private static let byCode: [BlockCodec?] = {
    var codecs = [BlockCodec?](repeating: nil, count: 256)
    for dtype in DType.blockTypes { codecs[Int(dtype.code & 255)] = BlockCodec(dtype, level: .best) }
    return codecs
  }()

  /// Widens whole blocks to f32.
  ///
  /// - Parameters:
  ///   - blocks: Blocks one after the other, at any address; bytes after the last whole block are not read.
  ///   - values: `dtype.unitElementCount` numbers for each block, overwritten.
  public func dequantize(blocks: UnsafeRawBufferPointer, into values: UnsafeMutablePointer<Float>) {
    unsafe kernels.dequantize(blocks.baseAddress, blocks.count / dtype.unitByteCount, values)
  }

  /// Whether numbers can be quantized to this type: not for those that only intermediate results have.
  public var canQuantize: Bool { unsafe kernels.quantize != nil }

  /// Whether a type is so coarse that llama.cpp refuses to quantize to it without an importance matrix.
  public var requiresImportance: Bool { [DType.iq2_xxs, .iq2_xs, .iq1_s].contains(dtype) }

  /// Quantizes whole rows. Finite numbers give the very blocks of llama.cpp's `ggml_quantize_chunk`.
  ///
  /// NaNs and infinities do no harm, but what becomes of their blocks is Kist's own. Where llama.cpp sorts floats without
  /// a tie-break (IQ1_S, IQ1_M), equal numbers keep their order.
  ///
  /// - Parameters:
  ///   - values: [rows, columns], f32.
  ///   - columns: a multiple of `dtype.unitElementCount`.
  ///   - importance: [columns], f32: how much the error of each column counts; nil when all count the same. Needed by
  ///     types that ``requiresImportance``, ignored by those without a search.
  ///   - blocks: rows × columns ÷ `dtype.unitElementCount` blocks, overwritten.
  /// - Complexity: 0.3 to 20 ns per number for simple and K types, up to 100 for IQ types, per core. The first use of an
  ///   IQ type of 1 to 3 bits also builds a table, which takes some 10 ms and 0.5 MB.
  public func quantize(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, importance: UnsafePointer<Float>? = nil,
    into blocks: UnsafeMutableRawPointer
  ) {
    unsafe kernels.quantize?(values, rows, columns, importance, blocks)
  }
}
