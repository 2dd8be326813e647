import CKernels
import KistCore
import KistFormat

/// What the values of a tensor are like.
///
/// All but the counts are of the finite numbers. Of a complex tensor, real and imaginary part are a number each.
public struct TensorStatistics: Sendable, Codable, Equatable {
  /// Numbers that were looked at: elements, twice as many for complex dtypes.
  public var count: Int
  public var nanCount: Int
  public var infinityCount: Int
  /// Zeros of either sign.
  public var zeroCount: Int
  /// Nil, like the next three, when no number is finite.
  public var minimum: Double?
  public var maximum: Double?
  public var mean: Double?
  /// Of the population: √(Σ(x − mean)² ÷ count).
  public var standardDeviation: Double?

  enum CodingKeys: String, CodingKey {
    case count, mean
    case nanCount = "nans"
    case infinityCount = "infinities"
    case zeroCount = "zeros"
    case minimum = "min"
    case maximum = "max"
    case standardDeviation = "standard_deviation"
  }

  /// Computes the statistics of tensors, of each over its whole content.
  ///
  /// Sums are made in f64, block by block in a fixed order: the result depends on nothing but the values.
  ///
  /// - Returns: one for each tensor; nil for a dtype that this version does not know.
  /// - Throws: `damaged` when content does not match its checksums; `interrupted`.
  /// - Complexity: one pass, about 3 GB/s per core for F32 and BF16; memory of a few MiB per thread.
  public static func of(
    _ tensors: [CheckpointTensor], parallelism: Parallelism, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> [TensorStatistics?] {
    let known = tensors.filter { $0.dtype != nil }
    var sums = known.map { _ in Moments() }
    progress.begin("Computing statistics", total: known.reduce(0) { $0 + $1.byteCount })
    defer { progress.end() }
    try parallelism.inOrder(
      next: TensorPiece.all(of: known.map { ($0.elementCount, $0.dtype?.elementsPerPiece ?? 1) }),
      produce: { (piece) throws(KistError) -> Moments in try Moments(of: piece, in: known[piece.tensor]) },
      consume: { (piece, moments) throws(KistError) in
        sums[piece.tensor].add(moments)
        known[piece.tensor].release(piece)
        progress.advance(by: known[piece.tensor].bytes(of: piece).count)
      })
    var next = sums.makeIterator()
    return tensors.map { $0.dtype == nil ? nil : next.next().map(TensorStatistics.init) }
  }

  private init(_ moments: Moments) {
    count = moments.count
    nanCount = moments.nans
    infinityCount = moments.infinities
    zeroCount = moments.zeros
    guard moments.finite > 0 else { return }
    minimum = moments.minimum
    maximum = moments.maximum
    mean = moments.mean
    standardDeviation = (moments.squares / Double(moments.finite)).squareRoot()
  }
}

/// Counts, extremes, mean, and the sum of squared differences from it, of a run of numbers; runs that follow each other
/// add up.
struct Moments: Sendable {
  var count = 0
  var finite = 0
  var nans = 0
  var infinities = 0
  var zeros = 0
  var minimum = Double.infinity
  var maximum = -Double.infinity
  var mean = 0.0
  var squares = 0.0

  init() {}

  fileprivate init(of piece: TensorPiece, in tensor: CheckpointTensor) throws(KistError) {
    guard let dtype = tensor.dtype else { return }
    unsafe try tensor.source.withBytes(piece.bytes(of: dtype)) { bytes throws(KistError) in
      unsafe self.add(Numbers(dtype: dtype, bytes: bytes))
    }
  }

  /// Adds numbers, block by block.
  mutating func add(_ numbers: Numbers) {
    unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: numbersPerBlock) { block in
      guard let values = block.baseAddress else { return }
      for start in unsafe stride(from: 0, to: numbers.count, by: numbersPerBlock) {
        let count = unsafe numbers.widen(from: start, into: values)
        var summary = kist_summary()
        unsafe kist_summarize(values, count, &summary)
        add(Moments(summary, count: count))
      }
    }
  }

  init(_ summary: kist_summary, count: Int) {
    self.count = count
    finite = Int(summary.finite)
    nans = Int(summary.nans)
    infinities = Int(summary.infinities)
    zeros = Int(summary.zeros)
    (minimum, maximum) = (summary.minimum, summary.maximum)
    (mean, squares) = (summary.mean, summary.squares)
  }

  /// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
  mutating func add(_ next: Moments) {
    count += next.count
    nans += next.nans
    infinities += next.infinities
    zeros += next.zeros
    guard next.finite > 0 else { return }
    minimum = min(minimum, next.minimum)
    maximum = max(maximum, next.maximum)
    let total = finite + next.finite
    let weight = Double(next.finite) / Double(total)
    let difference = next.mean - mean
    squares += next.squares + difference * difference * Double(finite) * weight
    mean += difference * weight
    finite = total
  }
}

extension CheckpointTensor {
  /// Elements by the shape; for a tensor of a known dtype, what the content holds.
  public var elementCount: Int { shape.elementCount ?? 0 }

  func bytes(of piece: TensorPiece) -> Range<Int> { dtype.map { piece.bytes(of: $0) } ?? 0..<0 }

  func release(_ piece: TensorPiece) { source.release(bytes(of: piece)) }
}
