import CKernels
import COpenBLAS
import KistArchitectures
import KistCore

extension Session {
  /// softmax(Q·Kᵀ·scale)·V for each head, over the tokens so far. Source: Vaswani et al. 2017, section 3.2.1.
  func attend(
    _ attention: AttentionDescription, _ inputs: [Matrix], _ caches: [KeyValueCache], sinks: TensorKey?,
    _ context: StepContext
  ) throws(KistError) -> Matrix {
    let query = inputs[0]
    let output = Matrix(rows: query.rowCount, columns: attention.outputWidth)
    let sinkValues = try sinks.map { key throws(KistError) in try weights.vector(key) }
    for (text, cache) in zip(context.texts, caches) {
      cache.append(inputs[1], inputs[2], rows: text)
      try attendText(attention, query, text, cache, position: context.places[text.lowerBound], sinkValues, into: output)
    }
    return output
  }

  private func attendText(
    _ attention: AttentionDescription, _ query: Matrix, _ text: Range<Int>, _ cache: KeyValueCache, position: Int,
    _ sinks: [Float]?, into output: Matrix
  ) throws(KistError) {
    // Blocks of queries, so that scores of a long text stay in the cache.
    let blockSize = 128
    let blocks = (text.count + blockSize - 1) / blockSize
    let (keys, values, keyCount, pool) = (cache.keys, cache.values, cache.count, pool)
    try parallelism.forEach(blocks * attention.headCount) { job throws(KistError) in
      let (block, head) = (job / attention.headCount, job % attention.headCount)
      let start = text.lowerBound + block * blockSize
      let rows = start..<min(start + blockSize, text.upperBound)
      let scores = pool.take()
      defer { pool.give(scores) }
      let part = HeadAttention(
        attention: attention, head: head, rows: rows, firstPlace: position - text.lowerBound, keyCount: keyCount,
        sink: sinks?[head])
      scores.reserve(rows.count * part.seen.count)
      unsafe part.run(query, keys, values, scores.values, into: output)
    }
  }

  /// [head: plain | rotary], the rotary end shared by all heads.
  func latentKeys(_ attention: AttentionDescription, _ parts: Matrix, _ compressed: Matrix) -> Matrix {
    guard let latent = attention.latent else { return parts }
    let output = Matrix(rows: parts.rowCount, columns: attention.keyWidth)
    let stride = latent.plainSize + attention.valueHeadSize
    for row in 0..<parts.rowCount {
      for head in 0..<attention.headCount {
        let target = unsafe output.row(row) + head * attention.headSize
        unsafe target.update(from: parts.row(row) + head * stride, count: latent.plainSize)
        unsafe (target + latent.plainSize).update(
          from: compressed.row(row) + latent.keyValueRank, count: latent.rotarySize)
      }
    }
    return output
  }

  func latentValues(_ attention: AttentionDescription, _ parts: Matrix) -> Matrix {
    guard let latent = attention.latent else { return parts }
    let size = attention.valueHeadSize
    let output = Matrix(rows: parts.rowCount, columns: attention.valueWidth)
    for row in 0..<parts.rowCount {
      for head in 0..<attention.headCount {
        let start = head * (latent.plainSize + size) + latent.plainSize
        unsafe (output.row(row) + head * size).update(from: parts.row(row) + start, count: size)
      }
    }
    return output
  }
}

/// One head's attention for a block of queries.
struct HeadAttention: Sendable {
  var attention: AttentionDescription
  var head: Int
  /// Queries, among those of this call.
  var rows: Range<Int>
  /// Place in its text of a token, less its row.
  var firstPlace: Int
  var keyCount: Int
  var sink: Float?

  /// Keys that a query sees.
  func seen(by row: Int) -> Range<Int> {
    guard attention.isCausal else { return 0..<keyCount }
    let place = firstPlace + row
    return (attention.window.map { max(0, place - $0 + 1) } ?? 0)..<place + 1
  }

  /// Keys that the block sees.
  var seen: Range<Int> { seen(by: rows.lowerBound).lowerBound..<seen(by: rows.upperBound - 1).upperBound }

  /// Writes the block's rows of this head.
  ///
  /// - Parameter weights: room for `rows.count × seen.count` numbers.
  func run(
    _ query: Matrix, _ keys: Matrix, _ values: Matrix, _ weights: UnsafeMutablePointer<Float>, into output: Matrix
  ) {
    unsafe score(query, keys, weights)
    let (seen, size) = (seen, attention.valueHeadSize)
    let group = head / (attention.headCount / attention.keyValueHeadCount)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows.count), Int32(size), Int32(seen.count), 1, weights,
      Int32(seen.count), values.row(seen.lowerBound) + group * size, Int32(values.columnCount), 0,
      output.row(rows.lowerBound) + head * size, Int32(output.columnCount))
  }

  /// The weights of the keys for each query of the block, [rows, seen]; each row sums to 1 (with a sink, to less).
  func score(_ query: Matrix, _ keys: Matrix, _ weights: UnsafeMutablePointer<Float>) {
    let (seen, size) = (seen, attention.headSize)
    let group = head / (attention.headCount / attention.keyValueHeadCount)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows.count), Int32(seen.count), Int32(size), attention.scale,
      query.row(rows.lowerBound) + head * size, Int32(query.columnCount),
      keys.row(seen.lowerBound) + group * size, Int32(keys.columnCount), 0, weights, Int32(seen.count))
    for row in rows {
      let line = unsafe weights + (row - rows.lowerBound) * seen.count
      unsafe finish(line, self.seen(by: row), from: seen)
    }
  }

  private func bias(_ slope: Float, _ key: Int) -> Float {
    guard attention.roundsAndScalesSlopes else { return slope * Float(key) }
    return attention.scale * (slope.roundedToBF16 * Float(key)).roundedToBF16
  }

  /// Masks, biases and normalizes one query's scores.
  private func finish(_ line: UnsafeMutablePointer<Float>, _ own: Range<Int>, from all: Range<Int>) {
    let start = own.lowerBound - all.lowerBound
    for index in 0..<start { unsafe line[index] = 0 }
    for index in start + own.count..<all.count { unsafe line[index] = 0 }
    let scores = unsafe line + start
    if let cap = attention.softCap { unsafe kist_soft_cap(scores, own.count, cap) }
    if let slope = attention.slopes?[head] {
      for (index, key) in own.enumerated() { unsafe scores[index] += bias(slope, key) }
    }
    if let sink {
      unsafe kist_softmax_sink(scores, own.count, sink)
    } else {
      unsafe kist_softmax(scores, own.count)
    }
  }
}

extension Float {
  /// The nearest number of bf16, of two equally near the even one.
  fileprivate var roundedToBF16: Float {
    let bits = bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
  }
}
