import KistCore
import KistInference
import Testing

/// Threads, memory and libraries: what must not change a result.
@Suite struct ResourceTests {
  @Test(arguments: FamilyFixture.all)
  func `results are the same bits with any number of threads`(name: String) throws {
    let fixture = try FamilyFixture(name)
    let tokens = try fixture.tokens
    func bits(threads: Int) throws -> [UInt32] {
      let session = try Session(fixture.weights, parallelism: Parallelism(threads: threads))
      let isDecoder = fixture.weights.model.architecture.kind == .decoder
      var states = try session.advance(isDecoder ? Array(tokens.dropLast()) : tokens).numbers()
      if isDecoder {
        let last = try session.advance(Array(tokens.suffix(1)))
        states += try last.numbers() + session.logits(last).numbers()
      }
      return states.map(\.bitPattern)
    }
    let expected = try bits(threads: 1)
    for threads in [2, 3] { #expect(try bits(threads: threads) == expected, "\(threads) threads") }
  }

  @Test func `models that are open together share what may stay in memory`() throws {
    let name = try #require(FamilyFixture.all.first)
    let size = try FamilyFixture(name).weights.keptByteCount
    #expect(size > 0)
    let budget = MemoryBudget(byteCount: size)
    var first: FamilyFixture? = try FamilyFixture(name, memory: budget)
    #expect(first?.weights.keptByteCount == size)
    #expect(try FamilyFixture(name, memory: budget).weights.keptByteCount == 0)
    first = nil
    #expect(try FamilyFixture(name, memory: budget).weights.keptByteCount == size)
  }

  @Test func `results are the same bits whether weights are kept or not`() throws {
    for name in FamilyFixture.all {
      let results = try [MemoryBudget(), MemoryBudget(byteCount: 0)].map { memory in
        let fixture = try FamilyFixture(name, memory: memory)
        let session = try Session(fixture.weights, parallelism: Parallelism(threads: 2))
        return try session.advance(fixture.tokens).numbers().map(\.bitPattern)
      }
      #expect(results[0] == results[1], "\(name)")
    }
  }

  @Test func `a missing OpenBLAS is said, and how to get it`() {
    #expect {
      try BLAS.load(["libnot-there.so.0"])
    } throws: { error in
      guard let error = error as? KistError else { return false }
      return error.kind == .missing && error.problem.contains("libnot-there.so.0")
        && error.advice?.contains("openblas") == true
    }
  }
}
