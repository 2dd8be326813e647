import KistCore
import KistTokenizers
import TestSupport
import Testing

struct TrainTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Words of a few letters, few of them frequent.
  private func words(_ count: Int, seed: UInt64) -> WordCounts {
    var generator = SeededGenerator(seed: seed)
    return WordCounts(
      (0..<count).map { rank in
        let length = Int.random(in: 2...12, using: &generator)
        let letters = (0..<length).map { _ in UInt8.random(in: 97...99, using: &generator) }
        return (letters, UInt64(1 + 100_000 / (rank + 1)))
      })
  }

  @Test func `the result does not depend on the number of threads`() throws {
    // Enough words that merges are shared out among threads.
    let words = words(80_000, seed: 11)
    var trainer = BPETrainer()
    trainer.options.vocabularySize = 600
    let one = try trainer.train(words, parallelism: Parallelism(threads: 1))
    #expect(one.vocabulary.tokens.count == 600)
    for threads in [2, 5] {
      #expect(try trainer.train(words, parallelism: Parallelism(threads: threads)) == one, "\(threads) threads")
    }
  }

  @Test func `an alphabet that is limited keeps the lower of equally frequent characters`() throws {
    var trainer = BPETrainer()
    trainer.options.alphabetLimit = 2
    trainer.options.vocabularySize = 2
    let learned = try trainer.train(WordCounts([(bytes("cadb"), 1), (bytes("d"), 1)]))
    #expect(learned.tokenBytes == [bytes("a"), bytes("d")])
  }

  @Test func `symbols with a prefix get their ids word by word, in the order of the words`() throws {
    var trainer = BPETrainer()
    trainer.options.continuingSubwordPrefix = bytes("##")
    trainer.options.vocabularySize = 0
    let learned = try trainer.train(WordCounts([(bytes("cab"), 1), (bytes("bca"), 3)]))
    #expect(learned.tokenBytes == ["a", "b", "c", "##c", "##a", "##b"].map(bytes))
  }

  @Test func `counts beyond 32 bits are exact`() throws {
    var trainer = BPETrainer()
    trainer.options.vocabularySize = 5
    let learned = try trainer.train(
      WordCounts([(bytes("ab"), 1 << 40), (bytes("bc"), 1 << 40 + 1), (bytes("ca"), 7)]))
    #expect(learned.pairs.map { [$0.left, $0.right] } == [[1, 2], [0, 1]])
  }

  @Test func `counts that would overflow are refused`() {
    let words = WordCounts([(bytes("ab"), UInt64(Int64.max)), (bytes("ba"), 5)])
    #expect(throws: KistError.self) { try BPETrainer().train(words) }
  }

  @Test(arguments: [[0xFF, 0x61], [0x61, 0xC3], [0xA9], [0xED, 0xA0, 0x80]] as [[UInt8]])
  func `words that are not UTF-8 are refused`(word: [UInt8]) {
    #expect(throws: KistError.self) { try BPETrainer().train(WordCounts([(word, 1)])) }
    var trainer = BPETrainer()
    trainer.options.specialTokens = [word]
    #expect(throws: KistError.self) { try trainer.train(WordCounts()) }
  }

  @Test func `a character cut in two between words is refused`() {
    #expect(throws: KistError.self) { try BPETrainer().train(WordCounts([([0xC3], 1), ([0xC3, 0xA9], 1)])) }
  }

  @Test func `negative sizes are refused, enormous ones are no trouble`() throws {
    var trainer = BPETrainer()
    trainer.options.vocabularySize = .max
    trainer.options.maximumTokenLength = .max
    #expect(try trainer.train(WordCounts([(bytes("abab"), 2)])).tokenBytes.map(\.count) == [1, 1, 2, 4])
    trainer.options.vocabularySize = -1
    #expect(throws: KistError.self) { try trainer.train(WordCounts()) }
  }

  @Test func `training can be interrupted`() {
    let cancellation = Cancellation()
    cancellation.cancel()
    let parallelism = Parallelism(threads: 2, cancellation: cancellation)
    #expect(throws: KistError.interrupted) { try BPETrainer().train(WordCounts(), parallelism: parallelism) }
  }

  @Test func `a long word of one letter takes no time`() throws {
    let letters = [UInt8](repeating: 97, count: 1_000_000)
    let learned = try BPETrainer().train(WordCounts([(letters, 1)]))
    #expect(learned.tokenBytes.last?.count ?? 0 > 400_000)
  }
}
