import Foundation
import KistCore
import KistTraining

/// The record `kist:training`: how far a training came, by which settings and on which text. spec/kist-format.md, "Records".
struct TrainingRecord: Codable {
  var schema = 1
  var engine = KistVersion.name
  var step: Int
  var settings: TrainingSettings
  var corpus: Corpus

  struct Corpus: Codable, Equatable {
    var tokens: Int
    /// FNV-1a of the tokens, 16 hexadecimal digits.
    var fingerprint: String

    init(_ corpus: TokenCorpus) {
      tokens = corpus.tokenCount
      let digits = String(corpus.fingerprint, radix: 16)
      fingerprint = String(repeating: "0", count: 16 - digits.count) + digits
    }
  }

  init(_ trainer: Trainer) {
    step = trainer.step
    settings = trainer.settings
    corpus = Corpus(trainer.corpus)
  }

  func encoded() throws(KistError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return Array(try encoder.encode(self)) } catch {
      throw KistError(.system, "the training's settings can't be written as JSON: \(error)")
    }
  }

  /// - Throws: `damaged` when the bytes are not such a record.
  init(decoding bytes: [UInt8]) throws(KistError) {
    do { self = try JSONDecoder().decode(TrainingRecord.self, from: Data(bytes)) } catch {
      throw KistError(.damaged, field: "kist:training", "is not what this version writes")
    }
  }
}
