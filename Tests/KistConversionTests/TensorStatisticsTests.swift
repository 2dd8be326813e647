import CKernels
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct TensorStatisticsTests {
  private func statistics(_ entries: [NewEntry], threads: Int = 2) throws -> [TensorStatistics?] {
    let folder = try TemporaryFolder()
    return try TensorStatistics.of(
      try makeCheckpoint(entries, in: folder).tensors, parallelism: Parallelism(threads: threads))
  }

  @Test func `known values have known statistics`() throws {
    let result = try #require(try statistics([f32("t", [2, 4, 4, 4, 5, 5, 7, 9])])[0])
    #expect(result.minimum == 2 && result.maximum == 9 && result.mean == 5 && result.standardDeviation == 2)
    #expect(result.count == 8 && result.nanCount == 0 && result.infinityCount == 0 && result.zeroCount == 0)
  }

  @Test func `NaN and infinity are counted and left out, zeros of both signs are counted`() throws {
    let values: [Float] = [1, .nan, 3, .infinity, -.infinity, 0, -0.0, .nan, .signalingNaN]
    let result = try #require(try statistics([f32("t", values)])[0])
    #expect(result.nanCount == 3 && result.infinityCount == 2 && result.zeroCount == 2 && result.count == 9)
    #expect(result.minimum == 0 && result.maximum == 3 && result.mean == 1)
    #expect(result.standardDeviation == 1.5.squareRoot())
  }

  @Test func `without a finite number there is no mean`() throws {
    for values in [[], [.nan, .infinity]] as [[Float]] {
      let result = try #require(try statistics([f32("t", values)])[0])
      #expect(result.minimum == nil && result.maximum == nil && result.mean == nil && result.standardDeviation == nil)
    }
  }

  @Test func `real and imaginary parts are a number each`() throws {
    let entry = NewEntry.tensor("t", dtype: .c64, shape: [2], source: MemorySource(littleEndianBytes([1, 2, 3, -6])))
    let result = try #require(try statistics([entry])[0])
    #expect(result.count == 4 && result.mean == 0 && result.minimum == -6)
  }

  @Test func `the number of threads and the packing do not change a bit`() throws {
    var random = SeededGenerator(seed: 3)
    let entries = [
      f32("a", random.weights(900_000)), f32("b", random.weights(33, deviation: 1e20)),
      f32("c", random.weights(300_001)),
    ]
    let folder = try TemporaryFolder()
    try writeSample(folder.file("raw.kist"), packing: .none, entries: entries)
    let raw = try Checkpoint.open(path: folder.file("raw.kist"))
    let expected = try TensorStatistics.of(raw.tensors, parallelism: Parallelism(threads: 1))
    for threads in [1, 2, 5] { #expect(try statistics(entries, threads: threads) == expected) }
  }

  @Test func `the mean of a million values is right to the last digits`() throws {
    var random = SeededGenerator(seed: 4)
    let values = random.weights(1_000_000, deviation: 1).map { $0 + 100 }
    let result = try #require(try statistics([f32("t", values)])[0])
    // Neumaier's compensated sums.
    let mean = compensatedSum(values.map { Double($0) }) / 1e6
    let deviation = (compensatedSum(values.map { (Double($0) - mean) * (Double($0) - mean) }) / 1e6).squareRoot()
    #expect(abs(try #require(result.mean) - mean) < 1e-12 * mean)
    #expect(abs(try #require(result.standardDeviation) - deviation) < 1e-12)
  }

  private func compensatedSum(_ values: [Double]) -> Double {
    var (sum, lost) = (0.0, 0.0)
    for value in values {
      let next = sum + value
      lost += sum.magnitude >= value.magnitude ? (sum - next) + value : (value - next) + sum
      sum = next
    }
    return sum + lost
  }

  @Test func `block types have the statistics of the numbers that their blocks hold`() throws {
    // Q8_0: a scale in f16 (0.5), 32 signed bytes. 33 blocks: more than are widened at a time.
    let block: [UInt8] = [0x00, 0x38, 0xFC, 2, 4] + [UInt8](repeating: 0, count: 29)
    let bytes = (0..<33).flatMap { _ in block }
    let entry = NewEntry.tensor("t", dtype: .q8_0, shape: [33, 32], source: MemorySource(bytes))
    let result = try #require(try statistics([entry])[0])
    #expect(result.minimum == -2 && result.maximum == 2 && result.mean == 1.0 / 32)
    #expect(result.count == 33 * 32 && result.zeroCount == 33 * 29 && result.nanCount == 0)
  }

  @Test func `dtypes of every width have the statistics of the numbers that they hold`() throws {
    let values: [Float] = [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2]
    let expected = try #require(try statistics([f32("t", values)])[0])
    // Two to a byte, the first in the low half: sign, 2 bits of exponent, 1 of mantissa.
    let f4: [UInt8] = [0xAC, 0x09, 0x21, 0x43]
    let entries: [NewEntry] = [
      .tensor("f64", dtype: .f64, shape: [8], source: MemorySource(bytes(of: values.map { Double($0) }))),
      .tensor("f16", dtype: .f16, shape: [8], source: MemorySource(bytes(of: values.map { Float16($0) }))),
      .tensor(
        "bf16", dtype: .bf16, shape: [8], source: MemorySource(bytes(of: values.map { UInt16($0.bitPattern >> 16) }))),
      .tensor("f4", dtype: .f4, shape: [8], source: MemorySource(f4)),
    ]
    for result in try statistics(entries) { #expect(result == expected) }
  }

  // MARK: - Kernels

  @Test func `widening is exact for every bit pattern of the 16-bit floats`() {
    let patterns = (0...UInt16.max).map { $0 }
    var values = [Double](repeating: 0, count: patterns.count)
    for (dtype, format) in [(DType.f16, MiniFloat.f16), (.bf16, .bf16)] {
      unsafe (dtype == .f16 ? kist_widen_f16 : kist_widen_bf16)(patterns, patterns.count, &values)
      for (pattern, value) in zip(patterns, values) {
        let expected = Double(format.decode(pattern))
        #expect(value.isNaN && expected.isNaN || value.bitPattern == expected.bitPattern)
      }
    }
  }
}
