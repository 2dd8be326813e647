import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct TensorComparisonTests {
  private func compare(_ a: NewEntry, _ b: NewEntry) throws -> TensorComparison? {
    let folder = try TemporaryFolder()
    let a = try makeCheckpoint([a], in: folder, "a.kist").tensors[0]
    let b = try makeCheckpoint([b], in: folder, "b.kist").tensors[0]
    return try TensorComparison.of([(a, b)], parallelism: Parallelism(threads: 2))[0]
  }

  @Test func `known values have a known error`() throws {
    let result = try #require(try compare(f32("t", [1, 2, 3, 5]), f32("t", [1, 2, 3, 4])))
    #expect(result.differingCount == 1 && result.maximumDifference == 1 && result.nmse == 1.0 / 30)
    #expect(result.count == 4 && result.incomparableCount == 0)
  }

  @Test func `NaNs are equal, as are zeros of either sign; NaN and a number can't be compared`() throws {
    let result = try #require(
      try compare(f32("t", [.nan, 0, .nan, .infinity, .infinity]), f32("t", [.nan, -0.0, 1, .infinity, 2])))
    #expect(result.differingCount == 2 && result.incomparableCount == 2)
    #expect(result.maximumDifference == 0 && result.nmse == 0)
  }

  @Test func `against zeros the normalized error is infinite, unless there is none`() throws {
    #expect(try compare(f32("t", [0, 0]), f32("t", [0, 0]))?.nmse == 0)
    #expect(try compare(f32("t", [0, 1]), f32("t", [0, 0]))?.nmse == .infinity)
  }

  @Test func `dtypes may differ, in pieces of any size`() throws {
    var random = SeededGenerator(seed: 9)
    let cut = random.weights(1_500_003).map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
    let narrow = NewEntry.tensor(
      "t", dtype: .bf16, shape: [cut.count], source: MemorySource(bytes(of: cut.map { UInt16($0.bitPattern >> 16) })))
    let result = try #require(try compare(f32("t", cut), narrow))
    #expect(result.differingCount == 0 && result.count == cut.count)
    var changed = cut
    changed[1_400_000] += 1
    let other = try #require(try compare(narrow, f32("t", changed)))
    #expect(other.differingCount == 1 && abs(other.maximumDifference - 1) < 1e-6)
  }

  @Test func `a complex and a real tensor can't be compared`() throws {
    let complex = NewEntry.tensor("t", dtype: .c64, shape: [1], source: MemorySource(littleEndianBytes([1, 2])))
    #expect(try compare(complex, f32("t", [1])) == nil)
    #expect(try compare(complex, complex)?.count == 2)
  }
}
