import CKernels
import KistCore
import KistFormat
import KistQuantization
import Synchronization

/// What numbers lost when they were written in another dtype; losses of parts add up.
package struct EncodingLoss: Sendable, Equatable {
  package var count = 0
  /// Σ(written − value)², Σvalue², and Σ importance · (written − value)², of pairs with a finite difference.
  package var errors = 0.0
  package var squares = 0.0
  package var weighted = 0.0
  /// The largest |written − value|.
  package var maximum = 0.0
  /// Numbers that are NaN or infinite.
  package var nonfinite = 0

  package init() {}

  /// Normalized mean squared error.
  package var nmse: Double { errors == 0 ? 0 : errors / squares }

  package mutating func add(_ next: EncodingLoss) {
    count += next.count
    errors += next.errors
    squares += next.squares
    weighted += next.weighted
    maximum = max(maximum, next.maximum)
    nonfinite += next.nonfinite
  }
}

/// Takes note of what a tensor loses while its numbers are written in another dtype, and refuses numbers that are none.
package final class EncodingMeter: Sendable {
  private let tensor: CheckpointTensor
  private let file: String
  private let allowsNonfinite: Bool
  private let decoder: RowDecoder
  private let importance: [Float]?
  private let unitByteCount: Int
  /// By the chunk's beginning: one that is made again does not count twice, and sums do not depend on threads.
  private let losses = Mutex<[Int: EncodingLoss]>([:])

  /// - Parameter importance: as ``EncodedSource`` has it.
  /// - Returns: nil when what is written can't be read.
  package init?(
    _ tensor: CheckpointTensor, as dtype: DType, importance: [Float]? = nil, allowsNonfinite: Bool, file: String
  ) {
    guard let decoder = RowDecoder(dtype) else { return nil }
    self.tensor = tensor
    self.file = file
    self.allowsNonfinite = allowsNonfinite
    self.decoder = decoder
    self.importance = importance
    unitByteCount = dtype.unitByteCount
  }

  /// Everything that was measured so far.
  package var loss: EncodingLoss {
    losses.withLock { losses in
      losses.sorted { $0.key < $1.key }.reduce(into: EncodingLoss()) { $0.add($1.value) }
    }
  }

  /// Compares numbers with their bytes.
  ///
  /// - Throws: `invalid` naming the first number that is NaN or infinite, unless they are allowed.
  func measure(
    _ values: UnsafePointer<Float>, _ bytes: UnsafeRawPointer, elements: Range<Int>, into sum: inout EncodingLoss
  ) throws(KistError) {
    let count = elements.count
    let written = UnsafeMutablePointer<Float>.allocate(capacity: count)
    defer { unsafe written.deallocate() }
    unsafe decoder.decode(bytes, count: count, into: written)
    var loss = EncodingLoss()
    if let importance {
      unsafe measureRows(values, written, elements, importance, &loss)
    } else {
      unsafe loss.add(values, written, nil, count)
    }
    if loss.nonfinite > 0, !allowsNonfinite { throw unsafe refusal(values, elements) }
    sum.add(loss)
  }

  /// Row by row, each column with its importance.
  private func measureRows(
    _ values: UnsafePointer<Float>, _ written: UnsafePointer<Float>, _ elements: Range<Int>, _ importance: [Float],
    _ loss: inout EncodingLoss
  ) {
    let columns = tensor.shape.dimensions.last ?? 1
    let rowsEach = max(1, (tensor.shape.elementCount ?? 0) / columns / max(1, importance.count / columns))
    unsafe importance.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      var place = elements.lowerBound
      while place < elements.upperBound {
        let end = min((place / columns + 1) * columns, elements.upperBound)
        let offset = place - elements.lowerBound
        let column = place / columns / rowsEach * columns + place % columns
        unsafe loss.add(values + offset, written + offset, weights + column, end - place)
        place = end
      }
    }
  }

  private func refusal(_ values: UnsafePointer<Float>, _ elements: Range<Int>) -> KistError {
    let index = (0..<elements.count).first { unsafe !values[$0].isFinite } ?? 0
    let value = unsafe values[index]
    let place = tensor.shape.position(ofElement: elements.lowerBound + index)
    return KistError(
      .invalid, file: file, field: "tensor '\(tensor.name)'",
      "has \(value.isNaN ? "a NaN" : "an infinity") at \(place), which no block can hold",
      advice: "the weights are broken; --allow-nonfinite quantizes them all the same")
  }

  /// Keeps what a whole chunk lost; other reads are of samples.
  func note(_ loss: EncodingLoss, of range: Range<Int>, byteCount: Int) {
    let size = Layout.rawBytesPerChunk(unit: unitByteCount)
    guard range.lowerBound % size == 0, range.upperBound == min(range.lowerBound + size, byteCount) else { return }
    losses.withLock { $0[range.lowerBound] = loss }
  }
}

extension EncodingLoss {
  fileprivate mutating func add(
    _ values: UnsafePointer<Float>, _ written: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, _ count: Int
  ) {
    var result = kist_loss()
    unsafe kist_measure_loss(values, written, weights, count, &result)
    self.count += count
    errors += result.errors
    squares += result.squares
    weighted += result.weighted
    maximum = max(maximum, result.maximum)
    nonfinite += Int(result.nonfinite)
  }
}
