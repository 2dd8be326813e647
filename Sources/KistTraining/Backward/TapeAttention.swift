import CKernels
import KistArchitectures
import KistCore
import KistInference

/// Attention of sequences of equal length, forwards and backwards.
///
/// For each head, with S = scale · Q · Kᵀ, masked, P = softmax(S) and O = P · V:
/// dV = Pᵀ · dO, dP = dO · Vᵀ, dS = P ∘ (dP − rowsum(P ∘ dP)), dQ = scale · dS · K, dK = scale · dSᵀ · Q.
struct TapeAttention: Sendable {
  let attention: AttentionDescription
  let context: Int

  init(_ attention: AttentionDescription, context: Int) {
    self.attention = attention
    self.context = context
  }

  /// Query heads that share a key head.
  var sharing: Int { attention.headCount / attention.keyValueHeadCount }

  /// Queries are taken in blocks, so that half of the scores, which the mask hides, are not computed.
  private static let blockSize = 64

  /// Queries of a block, and the keys that they see.
  var blocks: [(queries: Range<Int>, keys: Range<Int>)] {
    stride(from: 0, to: context, by: Self.blockSize).map { start in
      let end = min(start + Self.blockSize, context)
      return (start..<end, seen(by: start).lowerBound..<end)
    }
  }

  private func seen(by place: Int) -> Range<Int> {
    (attention.window.map { max(0, place - $0 + 1) } ?? 0)..<place + 1
  }

  /// Scores of one query become its weights.
  func finish(_ line: UnsafeMutablePointer<Float>, query: Int, keys: Range<Int>, head: Int) {
    let own = seen(by: query)
    let start = own.lowerBound - keys.lowerBound
    for index in 0..<start { unsafe line[index] = 0 }
    for index in start + own.count..<keys.count { unsafe line[index] = 0 }
    if let slope = attention.slopes?[head] {
      for (index, key) in own.enumerated() { unsafe line[start + index] += slope * Float(key) }
    }
    unsafe kist_softmax(line + start, own.count)
  }

  /// A head's columns of some rows.
  @unsafe func part(_ matrix: Matrix, _ row: Int, _ head: Int, _ size: Int) -> BLAS.Part {
    unsafe BLAS.Part(values: matrix.row(row) + head * size, stride: matrix.columnCount)
  }
}

extension Tape {
  /// - Parameter inputs: queries, keys, values.
  func attend(
    _ shape: TapeAttention, _ inputs: [Matrix], _ weights: Matrix, into output: Matrix
  ) throws(KistError) {
    let (query, key, value, context) = (inputs[0], inputs[1], inputs[2], context)
    let attention = shape.attention
    let (size, valueSize, heads) = (attention.headSize, attention.valueHeadSize, attention.headCount)
    try workers.forEach(rowCount / context * heads) { job in
      let (start, head) = (job / heads * context, job % heads)
      let group = head / shape.sharing
      for (queries, keys) in shape.blocks {
        let lines = unsafe weights.row(job * context + queries.lowerBound) + keys.lowerBound
        unsafe BLAS.multiplyTransposed(
          shape.part(query, start + queries.lowerBound, head, size),
          shape.part(key, start + keys.lowerBound, group, size), rows: queries.count, columns: keys.count, inner: size,
          scale: attention.scale, into: lines, stride: context)
        for place in queries {
          unsafe shape.finish(lines + (place - queries.lowerBound) * context, query: place, keys: keys, head: head)
        }
        unsafe BLAS.multiply(
          BLAS.Part(values: lines, stride: context), shape.part(value, start + keys.lowerBound, group, valueSize),
          rows: queries.count, columns: valueSize, inner: keys.count,
          into: output.row(start + queries.lowerBound) + head * valueSize, stride: output.columnCount)
      }
    }
  }

  func attendBackward(
    _ shape: TapeAttention, _ node: Node, _ weights: Matrix, _ dy: Matrix
  ) throws(KistError) {
    let inputs = node.inputs.map { values[$0] }
    let outputs = inputs.map { spare($0.columnCount) }
    let (context, groups, scratch) = (context, shape.attention.keyValueHeadCount, workers.scratch)
    try workers.forEach(rowCount / context * groups) { job in
      let buffer = scratch.take()
      defer { scratch.give(buffer) }
      let part = AttentionGradient(
        shape: shape, inputs: inputs, outputs: outputs, weights: weights, dy: dy, start: job / groups * context,
        group: job % groups)
      part.clearKeys()
      for head in job % groups * shape.sharing..<(job % groups + 1) * shape.sharing {
        for (queries, keys) in shape.blocks {
          buffer.reserve(queries.count * keys.count)
          unsafe part.run(head, queries, keys, buffer.values)
        }
      }
    }
    for (input, gradient) in zip(node.inputs, outputs) { try pass(gradient, to: input) }
  }
}

/// The part of a sequence that shares one key head.
private struct AttentionGradient {
  let shape: TapeAttention
  /// Queries, keys, values; and their gradients.
  let inputs: [Matrix]
  let outputs: [Matrix]
  let weights: Matrix
  let dy: Matrix
  /// The sequence's first row.
  let start: Int
  let group: Int

  private var size: Int { shape.attention.headSize }
  private var valueSize: Int { shape.attention.valueHeadSize }

  /// All blocks of all heads add to the keys' and values' gradients.
  func clearKeys() {
    for row in start..<start + shape.context {
      unsafe (outputs[1].row(row) + group * size).update(repeating: 0, count: size)
      unsafe (outputs[2].row(row) + group * valueSize).update(repeating: 0, count: valueSize)
    }
  }

  func run(_ head: Int, _ queries: Range<Int>, _ keys: Range<Int>, _ scores: UnsafeMutablePointer<Float>) {
    let (row, keyRow, context) = (start + queries.lowerBound, start + keys.lowerBound, shape.context)
    let headRow = start / context * shape.attention.headCount * context + head * context
    let lines = unsafe weights.row(headRow + queries.lowerBound) + keys.lowerBound
    let output = unsafe shape.part(dy, row, head, valueSize)
    let weightPart = unsafe BLAS.Part(values: lines, stride: context)
    let scorePart = unsafe BLAS.Part(values: scores, stride: keys.count)
    unsafe BLAS.multiplyFirstTransposed(
      weightPart, output, rows: keys.count, columns: valueSize, inner: queries.count, keeping: 1,
      into: outputs[2].row(keyRow) + group * valueSize, stride: outputs[2].columnCount)
    unsafe BLAS.multiplyTransposed(
      output, shape.part(inputs[2], keyRow, group, valueSize), rows: queries.count, columns: keys.count,
      inner: valueSize, into: scores, stride: keys.count)
    for index in 0..<queries.count {
      unsafe kist_softmax_backward(
        lines + index * context, keys.count, shape.attention.scale, scores + index * keys.count)
    }
    unsafe BLAS.multiply(
      scorePart, shape.part(inputs[1], keyRow, group, size), rows: queries.count, columns: size, inner: keys.count,
      into: outputs[0].row(row) + head * size, stride: outputs[0].columnCount)
    unsafe BLAS.multiplyFirstTransposed(
      scorePart, shape.part(inputs[0], row, head, size), rows: keys.count, columns: size, inner: queries.count,
      keeping: 1, into: outputs[1].row(keyRow) + group * size, stride: outputs[1].columnCount)
  }
}
