import CKernels
import KistArchitectures

/// One token's attention, a key head at a time, with the query heads that share it.
struct TokenAttention: Sendable {
  var attention: AttentionDescription
  /// The query, among those of this call.
  var row: Int
  /// The token's place in its text.
  var place: Int
  var keyCount: Int

  /// Keys that the token sees.
  var seen: Range<Int> {
    guard attention.isCausal else { return 0..<keyCount }
    return (attention.window.map { max(0, place - $0 + 1) } ?? 0)..<place + 1
  }

  /// Query heads that share a key head.
  private var sharing: Int { attention.headCount / attention.keyValueHeadCount }

  /// Room that ``run`` needs.
  var scoreCount: Int { sharing * seen.count }

  /// Writes the outputs of the query heads that share key head `group`.
  func run(
    _ group: Int, _ query: Matrix, _ keys: Matrix, _ values: Matrix, _ sinks: [Float]?,
    _ scores: UnsafeMutablePointer<Float>, into output: Matrix
  ) {
    let head = group * sharing
    unsafe withPointer(attention.slopes, from: head) { slopes in
      unsafe withPointer(sinks, from: head) { sinks in
        var shape = unsafe kist_attention_shape(
          positions: seen.count, group: sharing, head_size: attention.headSize, key_stride: keys.columnCount,
          value_size: attention.valueHeadSize, value_stride: values.columnCount, scale: attention.scale,
          cap: attention.softCap ?? 0, slopes: slopes, sinks: sinks)
        unsafe kist_attend(
          query.row(row) + head * attention.headSize, keys.row(seen.lowerBound) + group * attention.headSize,
          values.row(seen.lowerBound) + group * attention.valueHeadSize, &shape, scores,
          output.row(row) + head * attention.valueHeadSize)
      }
    }
  }

  private func withPointer(_ numbers: [Float]?, from start: Int, _ body: (UnsafePointer<Float>?) -> Void) {
    guard let numbers else { return body(nil) }
    unsafe numbers.withUnsafeBufferPointer { unsafe body($0.baseAddress.map { unsafe $0 + start }) }
  }
}
