import Foundation
import KistCore
import KistInference
import KistTokenizers

/// How an encoder's states become one vector for a text. Source: sentence-transformers, Pooling and Normalize.
public struct Pooling: Sendable {
  /// Takes the first token's state rather than the mean of all.
  var takesFirst: Bool
  /// Scales the vector to length 1.
  var normalizes: Bool

  /// The vector of some rows of states.
  func pool(_ states: Matrix, rows: Range<Int>) -> [Float] {
    let width = states.columnCount
    let numbers = states.numbers(ofRows: takesFirst ? rows.lowerBound..<rows.lowerBound + 1 : rows)
    var sums = [Double](repeating: 0, count: width)
    for (index, number) in numbers.enumerated() { sums[index % width] += Double(number) }
    var vector = sums.map { $0 / Double(numbers.count / width) }
    if normalizes {
      let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
      vector = vector.map { $0 / length }
    }
    return vector.map(Float.init)
  }
}

extension LoadedModel {
  /// What the checkpoint's `modules.json` and `1_Pooling/config.json` say; without them the normalized mean.
  ///
  /// - Throws: `unsupported` for a pooling that is neither mean nor first token.
  public func pooling() throws(KistError) -> Pooling {
    var pooling = Pooling(takesFirst: false, normalizes: true)
    // llama.cpp's number for the first token.
    if case .integer("2", _) = checkpoint.metadata["bert.pooling_type"] { pooling.takesFirst = true }
    if let modules = try document("modules.json")?.array {
      pooling.normalizes = modules.contains { $0["type"]?.string?.hasSuffix("Normalize") ?? false }
    }
    if let config = try document("1_Pooling/config.json") {
      let modes = config.members?.filter { $0.key.hasPrefix("pooling_mode_") && $0.value.bool == true }.map(\.key) ?? []
      switch modes {
      case ["pooling_mode_mean_tokens"]: break
      case ["pooling_mode_cls_token"]: pooling.takesFirst = true
      default:
        throw KistError(
          .unsupported, file: path, field: "1_Pooling/config.json",
          "\(modes.joined(separator: " and ")) is nothing that this version computes")
      }
    }
    return pooling
  }

  private func document(_ name: String) throws(KistError) -> JSONValue? {
    guard let asset = checkpoint.assets.first(where: { $0.path.utf8.elementsEqual(name.utf8) }) else { return nil }
    let bytes = try asset.smallContent(at: path)
    do throws(KistError) { return try unsafe JSONDocument(bytes.span.bytes).root } catch { throw error.inFile(path) }
  }

  /// A text as the tokens that its vector is made of: what is longer than the model takes is cut off.
  ///
  /// The limit is `sentence_bert_config.json`'s, else the model's own. Source: sentence-transformers, Transformer.
  private func sentenceTokens(_ text: String) throws(KistError) -> (tokens: [Int], isCut: Bool) {
    let config = try document("sentence_bert_config.json")
    let tokenizer = try requireTokenizer()
    let limit = [config?["max_seq_length"]?.int, model.mostTokens].compactMap(\.self).min()
    let text = config?["do_lower_case"]?.bool == true ? text.lowercased() : text
    let input = try tokenizer.modelInput(
      Array(text.utf8), tokenizer.referenceSettings, truncation: limit.map { Truncation(maximumLength: $0) })
    return (input.ids.map(Int.init), !input.overflow.isEmpty)
  }

  /// A text's vector, and what it was made of.
  public struct SentenceVector: Sendable {
    public var values: [Float]
    public var tokenCount: Int
    /// Whether the text had more tokens than the model takes.
    public var isCut: Bool
  }

  /// The sentence vector of each text.
  ///
  /// - Throws: `invalid` when the model is no encoder.
  public func embed(_ texts: [String], parallelism: Parallelism) throws(KistError) -> [SentenceVector] {
    guard model.architecture.kind == .encoder else {
      throw KistError(
        .invalid, file: path, "is a \(model.architecture.name) decoder, not an encoder",
        advice: "`kist predict` and `kist logits` are for decoders")
    }
    let sentences = try texts.map { text throws(KistError) in try sentenceTokens(text) }
    let pooling = try pooling()
    let session = try Session(weights, textCount: texts.count, parallelism: parallelism)
    let states = try session.advance(texts: sentences.map(\.tokens))
    var start = 0
    return sentences.map { sentence in
      let rows = start..<start + sentence.tokens.count
      start = rows.upperBound
      return SentenceVector(
        values: pooling.pool(states, rows: rows), tokenCount: rows.count, isCut: sentence.isCut)
    }
  }
}
