import KistCore
import KistTokenizers
import TestSupport
import Testing

struct TrainWordCounterTests {
  /// Text of words of every length, some with NUL bytes, some of several bytes a character.
  private func text(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    let letters = ["a", "b", "é", "漢", "\0", "😀"]
    return (0..<count).flatMap { _ -> [UInt8] in
      let length = Int.random(in: 0...(Bool.random(using: &generator) ? 3 : 25), using: &generator)
      let word = (0..<length).map { _ in letters.randomElement(using: &generator) ?? "" }.joined()
      return Array(word.utf8) + [Int.random(in: 0..<9, using: &generator) == 0 ? 0x0A : 0x20]
    }
  }

  private func plainCounts(_ text: [UInt8]) -> [[UInt8]: UInt64] {
    text.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }).reduce(into: [:]) { $0[Array($1), default: 0] += 1 }
  }

  @Test(arguments: [1, 2, 5])
  func `words are counted whatever the number of threads`(threads: Int) throws {
    let folder = try TemporaryFolder()
    var text = text(300_000, seed: 3)
    text.append(contentsOf: Array("last".utf8))
    #expect(text.count > 3 << 20)
    try writeFile(text, folder.file("a"))
    try writeFile(Array("last one".utf8), folder.file("b"))
    try writeFile([], folder.file("empty"))
    var files: [MappedFile] = []
    for name in ["a", "empty", "b"] { files.append(try MappedFile(path: folder.file(name))) }
    let parallelism = Parallelism(threads: threads)
    let counts = try WordCounter.spaces.count(files, parallelism: parallelism)

    let expected = plainCounts(text + [0x20] + Array("last one".utf8))
    let words = (0..<counts.count).map { Array(counts.word($0)) }
    #expect(words == expected.keys.sorted { $0.lexicographicallyPrecedes($1) })
    #expect(counts.counts == words.map { expected[$0] ?? 0 })
    let stream = chunks(of: text + [0x0A] + Array("last one".utf8), 70_001)
    #expect(try WordCounter.spaces.count(reading: stream, parallelism: parallelism) == counts)
  }

  @Test func `a line keeps its end, and the last one need not have any`() throws {
    let text = Array("a\r\n\nb\na\r\nb".utf8)
    for size in [1, 2, 3, 100] {
      let counts = try WordCounter.wholeLines.count(reading: chunks(of: text, size))
      #expect((0..<counts.count).map { Array(counts.word($0)) } == ["\n", "a\r\n", "b", "b\n"].map { Array($0.utf8) })
      #expect(counts.counts == [1, 2, 1, 1])
    }
  }

  @Test func `lines longer than a block are whole`() throws {
    let line = [UInt8](repeating: 120, count: 3_000_000)
    let counts = try WordCounter.wholeLines.count(reading: chunks(of: line + [0x0A] + line, 65_536))
    #expect(counts.starts == [0, 3_000_000, 6_000_001])
  }

  @Test func `text that is not UTF-8 is refused, with its place`() throws {
    let folder = try TemporaryFolder()
    let good = text(100_000, seed: 5)
    try writeFile(good + [0x61, 0xFF, 0x0A] + good, folder.file("bad.txt"))
    let file = try MappedFile(path: folder.file("bad.txt"))
    for threads in [1, 2, 5] {
      let error = #expect(throws: KistError.self) {
        try WordCounter.spaces.count([file], parallelism: Parallelism(threads: threads))
      }
      #expect(error?.offset == good.count + 1)
      #expect(error?.file == folder.file("bad.txt"))
    }
  }

  @Test func `the error of a cutter is passed on`() throws {
    let counter = WordCounter { () throws(KistError) in
      { (_, _) throws(KistError) in throw KistError(.unsupported, "this text") }
    }
    #expect(throws: KistError(.unsupported, "this text")) { try counter.count(reading: chunks(of: [97], 1)) }
  }

  @Test func `nothing gives no words`() throws {
    #expect(try WordCounter.spaces.count([]) == WordCounts())
    #expect(try WordCounter.spaces.count(reading: chunks(of: [], 1)) == WordCounts())
  }
}
