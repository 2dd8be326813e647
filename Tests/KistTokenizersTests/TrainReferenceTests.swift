import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// What the reference library learns, we learn.
struct TrainReferenceTests {
  @Test func `vocabulary and merges are those of the reference library`() throws {
    let cases = try TrainingCase.all(repository + "/Fixtures/tokenizers/training/bpe.json")
    #expect(cases.count > 50)
    for (index, one) in cases.enumerated() { try check(one, "case \(index)") }
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["KIST_TRAINING_CASES"] != nil))
  func `other cases agree too`() throws {
    let path = ProcessInfo.processInfo.environment["KIST_TRAINING_CASES"] ?? ""
    let cases = try TrainingCase.all(path)
    for (index, one) in cases.enumerated() { try check(one, "case \(index)") }
    print("\(cases.count) cases, \(cases.reduce(0) { $0 + $1.merges.count }) merges")
  }

  private func check(_ one: TrainingCase, _ name: String) throws {
    let trainer = one.trainer
    let learned = try trainer.train(one.words(threads: 2), parallelism: Parallelism(threads: 1))
    #expect(learned.tokenBytes == one.tokens, "\(name): vocabulary, with \(one.options)")
    #expect(learned.vocabulary.tokens.map(\.id) == one.tokens.indices.map { UInt32($0) }, "\(name)")
    #expect(learned.pairs.map { [$0.left, $0.right] } == one.merges, "\(name): merges, with \(one.options)")
    let added = trainer.addedTokens(in: learned).sorted { $0.id < $1.id }
    #expect(
      added.map { .token(id: $0.id, content: $0.content, isNormalized: $0.isNormalized) } == one.added, "\(name)")
    #expect(added.allSatisfy { $0.isSpecial })
    #expect(learned.continuingSubwordPrefix == trainer.options.continuingSubwordPrefix)
    #expect(learned.endOfWordSuffix == trainer.options.endOfWordSuffix)
  }
}
