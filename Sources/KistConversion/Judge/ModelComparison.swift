import KistArchitectures
import KistCore
import KistInference
import KistTokenizers

/// Compares what two models compute, or a model with recorded logits.
public struct ModelComparison: Sendable {
  public var parallelism: Parallelism
  /// What is allowed, when not what the dtypes explain.
  public var tolerance: Tolerance?
  /// How tokenizers are compared.
  public var tokenizers: TokenizerCheck

  public enum TokenizerCheck: Sendable {
    /// On the text of every token of both.
    case everyToken
    /// On the usual texts, without what is put around them, where the tokenizers are of different libraries: these have rules of their
    /// own for rare characters, and the format decides whose rules hold.
    case texts
  }

  public init(
    parallelism: Parallelism, tolerance: Tolerance? = nil, tokenizers: TokenizerCheck = .everyToken
  ) {
    self.parallelism = parallelism
    self.tolerance = tolerance
    self.tokenizers = tokenizers
  }

  /// Positions whose logits are in memory at a time.
  private static let blockSize = 32

  /// The same texts through both models.
  ///
  /// - Throws: `invalid` when the models do not have the same vocabulary.
  public func compare(
    _ candidate: LoadedModel, with reference: LoadedModel, texts: [[Int]]
  ) throws(KistError) -> Verdict {
    guard candidate.model.vocabularySize == reference.model.vocabularySize else {
      throw KistError(
        .invalid, file: candidate.path,
        "has a vocabulary of \(candidate.model.vocabularySize), and \(reference.path) one of \(reference.model.vocabularySize)",
        advice: "they are not the same model")
    }
    let own = try Session(candidate.weights, textCount: texts.count, parallelism: parallelism)
    let other = try Session(reference.weights, textCount: texts.count, parallelism: parallelism)
    let states = try own.advance(texts: texts)
    let expected = try other.advance(texts: texts)
    let tolerance = tolerance ?? Tolerance.between(candidate.weights, reference.weights)
    var comparison = LogitComparison()
    if reference.model.head.hasLogits {
      let next = texts.flatMap { $0.dropFirst().map(Optional.some) + [nil] }
      for start in stride(from: 0, to: states.rowCount, by: Self.blockSize) {
        let rows = start..<min(start + Self.blockSize, states.rowCount)
        let logits = try own.logits(states, rows: rows).numbers()
        let wanted = try other.logits(expected, rows: rows).numbers()
        comparison.add(logits, wanted, next: Array(next[rows]), tolerance)
      }
    } else {
      try comparison.addVectors(candidate, states, reference, expected, texts)
    }
    return Verdict(
      comparison, reference: "\(reference.path), computed by Kist", tolerance: tolerance,
      differences: try differences(candidate, reference))
  }

  /// A model against logits that another program recorded.
  public func compare(_ candidate: LoadedModel, with golden: LogitFile) throws(KistError) -> Verdict {
    guard candidate.model.vocabularySize == golden.vocabularySize else {
      throw KistError(
        .invalid, file: golden.path,
        "has logits of \(golden.vocabularySize) tokens, and the model a vocabulary of \(candidate.model.vocabularySize)"
      )
    }
    let session = try Session(candidate.weights, parallelism: parallelism)
    let states = try session.advance(golden.tokens)
    let tolerance = tolerance ?? .exact
    var comparison = LogitComparison()
    let next = golden.tokens.dropFirst().map(Optional.some) + [nil]
    for start in stride(from: 0, to: states.rowCount, by: Self.blockSize) {
      let rows = start..<min(start + Self.blockSize, states.rowCount)
      let size = golden.vocabularySize
      comparison.add(
        try session.logits(states, rows: rows).numbers(),
        Array(golden.logits[rows.lowerBound * size..<rows.upperBound * size]), next: Array(next[rows]), tolerance)
    }
    let name = golden.reference.map { "\($0), recorded in \(golden.path)" } ?? golden.path
    return Verdict(comparison, reference: name, tolerance: tolerance)
  }

  /// What else is part of a model's work: tokenizer and chat template.
  func differences(_ candidate: LoadedModel, _ reference: LoadedModel) throws(KistError) -> [String] {
    var differences: [String] = []
    // A checkpoint of weights alone says nothing against the other's tokenizer.
    if let own = candidate.tokenizer, let other = reference.tokenizer {
      if tokenizers == .texts, own.reference != other.reference {
        differences += try ModelComparison.differencesOnTexts(own, other)
      } else if let difference = try TokenizerComparison(own, against: other, text: nil, parallelism: Parallelism())
        .difference
      {
        differences.append(
          "tokenizers differ at \(difference.place): \(difference.ids) instead of \(difference.referenceIDs)")
      }
    }
    if let own = try candidate.chatTemplate(), let other = try reference.chatTemplate(), own != other {
      differences.append("chat templates differ")
    }
    return differences
  }
}

extension ModelComparison {
  fileprivate static func differencesOnTexts(_ own: Tokenizer, _ other: Tokenizer) throws(KistError) -> [String] {
    var settings = other.referenceSettings
    settings.additions = .none
    for text in VerificationTexts.texts {
      // A text that a small vocabulary can't hold is left out.
      guard let wanted = try? other.encode(Array(text.utf8), settings) else { continue }
      let ids = try own.encode(Array(text.utf8), settings)
      guard ids == wanted else {
        return ["tokenizers differ on '\(text.prefix(20))…': \(ids.prefix(12)) instead of \(wanted.prefix(12))"]
      }
    }
    return []
  }
}

extension LogitComparison {
  /// Takes the sentence vectors of encoders in place of logits, one for each text.
  fileprivate mutating func addVectors(
    _ candidate: LoadedModel, _ states: Matrix, _ reference: LoadedModel, _ expected: Matrix, _ texts: [[Int]]
  ) throws(KistError) {
    let other = try reference.pooling()
    // A GGUF does not say whether vectors are normalized.
    let own = candidate.checkpoint.provenanceFormat == .gguf ? other : try candidate.pooling()
    var start = 0
    for text in texts {
      let rows = start..<start + text.count
      add(own.pool(states, rows: rows)[...], reference: other.pool(expected, rows: rows)[...], next: nil)
      start = rows.upperBound
    }
  }

  /// Takes a block of positions.
  mutating func add(_ logits: [Float], _ reference: [Float], next: [Int?], _ tolerance: Tolerance) {
    let size = logits.count / max(1, next.count)
    for row in next.indices {
      let own = reference[row * size..<(row + 1) * size]
      let range = Double((own.max() ?? 0) - (own.min() ?? 0))
      add(
        logits[row * size..<(row + 1) * size], reference: own, next: next[row],
        tie: 2 * (tolerance.difference ?? 0) * range)
    }
  }
}

extension LoadedModel {
  /// The chat template, from its own file or the tokenizer's configuration.
  func chatTemplate() throws(KistError) -> String? {
    func asset(_ name: String) -> CheckpointAsset? {
      checkpoint.assets.first { $0.path.utf8.elementsEqual(name.utf8) }
    }
    if let file = asset("chat_template.jinja") {
      return String(decoding: try file.smallContent(at: path), as: UTF8.self)
    }
    guard let config = asset("tokenizer_config.json") else { return nil }
    let bytes = try config.smallContent(at: path)
    guard let document = try? unsafe JSONDocument(bytes.span.bytes) else { return nil }
    return document.root["chat_template"]?.string
  }
}
