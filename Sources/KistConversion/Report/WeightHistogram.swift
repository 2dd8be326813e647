import Foundation
import KistCore
import KistQuantization

/// How the weights of one kind of tensor are spread: of a sample of at most a million, evenly over the tensors.
public struct WeightHistogram: Sendable, Equatable {
  /// The group's pattern.
  public var pattern: String
  public var sampleCount: Int
  public var mean: Double
  public var standardDeviation: Double
  public var minimum: Double
  public var maximum: Double
  /// From four standard deviations below the mean to four above; what lies beyond counts at the ends.
  public var counts: [Int]

  public var range: ClosedRange<Double> { mean - 4 * standardDeviation...mean + 4 * standardDeviation }

  package static let binCount = 61
  private static let sampleSize = 1 << 20

  /// One for each group of tensors whose numbers are real.
  ///
  /// - Complexity: reads at most 2^20 numbers a group.
  package static func all(
    of checkpoint: Checkpoint, parallelism: Parallelism, progress: any ProgressObserver
  ) throws(KistError) -> [WeightHistogram] {
    // Whole numbers are positions and the like, not weights.
    let groups = TensorGroup.members(of: checkpoint.tensors.filter { $0.dtype?.numbers.isReal ?? false })
    var (next, found) = (0, [WeightHistogram]())
    progress.begin("Sampling weights", total: groups.reduce(0) { $0 + sampledByteCount($1.tensors) })
    defer { progress.end() }
    try parallelism.inOrder(
      next: { () throws(KistError) -> Int? in
        next += 1
        return next <= groups.count ? next - 1 : nil
      },
      produce: { (index) throws(KistError) -> WeightHistogram? in
        try WeightHistogram(groups[index].pattern, groups[index].tensors)
      },
      consume: { (index, histogram) throws(KistError) in
        if let histogram { found.append(histogram) }
        progress.advance(by: sampledByteCount(groups[index].tensors))
      })
    return found
  }

  private static func sampledByteCount(_ tensors: [CheckpointTensor]) -> Int {
    min(tensors.reduce(0) { $0 + $1.byteCount }, 4 * sampleSize)
  }

  private init?(_ pattern: String, _ tensors: [CheckpointTensor]) throws(KistError) {
    var values: [Float] = []
    for tensor in tensors { values += try tensor.sample(max(1, WeightHistogram.sampleSize / tensors.count)) }
    self.init(pattern, values)
  }

  /// Nil when no number is finite.
  package init?(_ pattern: String, _ values: [Float]) {
    let finite = values.filter(\.isFinite).map(Double.init)
    guard let low = finite.min(), let high = finite.max() else { return nil }
    self.pattern = pattern
    sampleCount = finite.count
    (minimum, maximum) = (low, high)
    let mean = finite.reduce(0, +) / Double(finite.count)
    let deviation = (finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(finite.count)).squareRoot()
    (self.mean, standardDeviation) = (mean, deviation)
    counts = [Int](repeating: 0, count: WeightHistogram.binCount)
    let width = deviation > 0 ? 8 * deviation / Double(WeightHistogram.binCount) : 1
    let start = deviation > 0 ? mean - 4 * deviation : mean - Double(WeightHistogram.binCount) / 2
    for value in finite {
      counts[Int(min(max((value - start) / width, 0), Double(WeightHistogram.binCount - 1)))] += 1
    }
  }
}

extension TensorGroup {
  /// Tensors that are the same part of every layer, with the pattern of their names.
  static func members(of tensors: [CheckpointTensor]) -> [(pattern: String, tensors: [CheckpointTensor])] {
    var order: [[String]] = []
    var members: [[String]: [(numbers: [Int], tensor: CheckpointTensor)]] = [:]
    for tensor in tensors {
      let name = NumberedName(tensor.name)
      if members[name.literals] == nil { order.append(name.literals) }
      members[name.literals, default: []].append((name.numbers, tensor))
    }
    return order.map { key in
      let own = members[key] ?? []
      return (pattern(key, own.map(\.numbers)), own.map(\.tensor))
    }
  }
}

extension CheckpointTensor {
  /// Up to about so many of the numbers, in runs spread evenly; none of a dtype without real numbers.
  fileprivate func sample(_ count: Int) throws(KistError) -> [Float] {
    guard let dtype, let decoder = RowDecoder(dtype), elementCount > 0 else { return [] }
    let unit = dtype.unitElementCount
    let runs = elementCount <= count ? 1 : max(1, min(16, count / 4096))
    let most = min(elementCount, count) / runs / unit * unit
    var values: [Float] = []
    for run in 0..<runs {
      // The middle of each of as many parts.
      let centre = elementCount / runs * run + elementCount / runs / 2
      var start = max(0, centre - most / 2) / unit * unit
      let end = min(elementCount / unit * unit, start + max(unit, most))
      while start < end {
        let part = min(end - start, dtype.elementsPerPiece)
        values += try read(start..<start + part, dtype, decoder)
        start += part
      }
    }
    return values
  }

  private func read(_ elements: Range<Int>, _ dtype: DType, _ decoder: RowDecoder) throws(KistError) -> [Float] {
    let unit = dtype.unitElementCount
    let bytes = elements.lowerBound / unit * dtype.unitByteCount..<elements.upperBound / unit * dtype.unitByteCount
    var values = [Float](repeating: 0, count: elements.count)
    unsafe try source.withBytes(bytes) { stored throws(KistError) in
      guard let base = stored.baseAddress else { return }
      unsafe values.withUnsafeMutableBufferPointer { buffer in
        if let output = buffer.baseAddress { unsafe decoder.decode(base, count: elements.count, into: output) }
      }
    }
    source.release(bytes)
    return values
  }
}

extension DType.Numbers {
  fileprivate var isReal: Bool {
    switch self {
    case .float, .ieee, .blocks: true
    case .boolean, .unsigned, .signed, .complex: false
    }
  }
}
