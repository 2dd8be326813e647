import Foundation
import KistConversion
import TestSupport
import Testing

/// Importance matrices that are collected in parts and added up.
@Suite struct ImatrixSumTests {
  private static let world = repository + "/Fixtures/world-llama"
  private static let golden = repository + "/Fixtures/quantization/llama/world-llama.imatrix.gguf"
  private static let text = world + "/held-out.txt"

  @Test func `parts of a text add up to the whole`() throws {
    let folder = try TemporaryFolder()
    let parts = try (1...3).map { number in
      let path = folder.file("part-\(number).gguf")
      let run = try kist(
        "imatrix", Self.world, "--text", Self.text, "--chunk-size", "256", "--part", "\(number)/3", "-o", path)
      #expect(run.status == 0, "\(run.errors)")
      return path
    }
    let run = try KistProcess.run(["imatrix"] + parts + ["-o", folder.file("sum.gguf"), "--json"])
    #expect(try run.json()["chunks"] as? Int == 8)
    #expect(
      try kist("imatrix", Self.world, "--text", Self.text, "--chunk-size", "256", "-o", folder.file("all.gguf")).status
        == 0)
    let (sum, all) = try (
      ImportanceMatrix(path: folder.file("sum.gguf")), ImportanceMatrix(path: folder.file("all.gguf"))
    )
    #expect(sum.names == all.names)
    #expect((sum.datasets, sum.chunkCount, sum.chunkSize) == (all.datasets, all.chunkCount, all.chunkSize))
    #expect(try ImportanceMatrix(path: parts[0]) != all)
    for name in all.names {
      let (a, b) = (try #require(sum[name]), try #require(all[name]))
      #expect(a.counts == b.counts)
      #expect(zip(a.sums, b.sums).allSatisfy { abs($0 - $1) <= 1e-6 * $1 }, "\(name)")
    }
  }

  @Test func `a matrix in each form is twice the matrix`() throws {
    let folder = try TemporaryFolder()
    #expect(try kist("imatrix", Self.golden, "-o", folder.file("a.dat")).status == 0)
    let golden = try ImportanceMatrix(path: Self.golden)
    for (other, slack) in [(Self.golden, Float(0)), (folder.file("a.dat"), 1e-6)] {
      #expect(try kist("imatrix", Self.golden, other, "-o", folder.file("sum.gguf"), "--force").status == 0)
      let sum = try ImportanceMatrix(path: folder.file("sum.gguf"))
      #expect(sum.chunkCount == 2 * golden.chunkCount && sum.chunkSize == golden.chunkSize)
      for name in golden.names {
        let (a, b) = (try #require(sum[name]), try #require(golden[name]))
        #expect(a.counts == b.counts.map { 2 * $0 })
        #expect(zip(a.sums, b.sums).allSatisfy { abs($0 - 2 * $1) <= 2 * slack * $1 }, "\(name)")
      }
    }
  }

  @Test func `experts add up one by one, and a single count is that of all`() throws {
    typealias Entry = ImportanceMatrix.Entry
    func matrix(_ entries: [String: Entry], chunkSize: Int = 2) -> (path: String, matrix: ImportanceMatrix) {
      ("\(entries.count)", ImportanceMatrix(entries: entries, datasets: ["x"], chunkCount: 1, chunkSize: chunkSize))
    }
    let a = matrix(["e": Entry(sums: [1, 2, 3, 4], counts: [2, 0]), "a": Entry(sums: [1], counts: [2])])
    let b = matrix(["e": Entry(sums: [10, 20, 30, 40], counts: [1, 4])])
    let sum = try ImportanceMatrix(adding: [a, b])
    #expect(sum["e"] == Entry(sums: [11, 22, 33, 44], counts: [3, 4]))
    #expect(sum["a"] == a.matrix["a"])
    #expect(sum.chunkCount == 2)
    let old = matrix(["e": Entry(sums: [1, 1, 1, 1], counts: [3])], chunkSize: 0)
    #expect(try ImportanceMatrix(adding: [b, old])["e"] == Entry(sums: [12, 22, 32, 42], counts: [7, 10]))
    #expect(try ImportanceMatrix(adding: [old, b])["e"] == Entry(sums: [12, 22, 32, 42], counts: [7, 10]))
  }

  @Test func `what does not add up is refused by name`() throws {
    let folder = try TemporaryFolder()
    let other = repository + "/Fixtures/quantization/llama/im.gguf"
    let run = try kist("imatrix", Self.golden, other, "-o", folder.file("x.gguf"))
    #expect(run.status == 2)
    #expect(run.errors.contains("of different models"), "\(run.errors)")
    let few = try kist("imatrix", Self.world, "--text", Self.text, "--part", "98/99", "-o", folder.file("x.gguf"))
    #expect(few.status == 2)
    #expect(few.errors.contains("too few for 99 parts"), "\(few.errors)")
    #expect(try kist("imatrix", Self.golden, "--part", "1/2", "-o", folder.file("x.gguf")).status == 64)
    #expect(
      try kist("imatrix", Self.golden, Self.golden, "--text", Self.text, "-o", folder.file("x.gguf")).status == 64)
    #expect(folder.contents.isEmpty)
  }
}
