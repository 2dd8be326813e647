import Foundation
import KistCore
import KistInference
import KistTokenizers

/// How well a model foresees a text: cross-entropy, −log P(token | the tokens before it), of each token and in the mean.
public struct TextScore: Sendable {
  /// A token of the text.
  public struct Token: Sendable, Codable, Equatable {
    public var position: Int
    public var token: Int
    public var text: String
    /// Nil for a token that nothing stands before.
    public var loss: Double?
    public var probability: Double?
    /// Its place among all tokens by probability, from 1 on.
    public var rank: Int?
    /// What the model held likeliest.
    public var best: TokenProbability?
  }

  public var tokens: [Token]
  /// Tokens of a window, and from one window to the next.
  public var context: Int
  public var stride: Int
  /// Bytes of the text that the scored tokens stand for.
  public var byteCount: Int

  public var scoredCount: Int { tokens.lazy.filter { $0.loss != nil }.count }
  /// Nats of all scored tokens.
  public var total: Double { tokens.reduce(0) { $0 + ($1.loss ?? 0) } }
  /// Nats a token.
  public var loss: Double { total / Double(max(1, scoredCount)) }
  public var perplexity: Double { exp(loss) }
  /// Comparable between models of different vocabularies; nil of no bytes.
  public var bitsPerByte: Double? { byteCount > 0 ? total / log(2) / Double(byteCount) : nil }
}

extension TextScore {
  /// How a text longer than the model's context is cut.
  public struct Windows: Sendable {
    /// Tokens of a window; nil for what the model reaches, 2048 where nothing bounds it.
    public var context: Int?
    /// Tokens from one window to the next; nil for half a window. With a whole window, the first token of each is given, not scored.
    public var stride: Int?

    public init(context: Int? = nil, stride: Int? = nil) {
      self.context = context
      self.stride = stride
    }

    /// - Throws: `invalid` for a window of less than two tokens, of more than the model reaches, or windows that leave tokens out.
    func resolved(for model: LoadedModel) throws(KistError) -> (context: Int, stride: Int) {
      let most = model.model.mostTokens
      let context = self.context ?? most ?? 2048
      guard context >= 2, context <= most ?? .max else {
        throw KistError(
          .invalid, field: "--context",
          "\(context) tokens: the model takes from 2 to \(most.map(String.init) ?? "any number")")
      }
      let stride = self.stride ?? max(1, context / 2)
      guard 1...context ~= stride else {
        throw KistError(
          .invalid, field: "--stride", "\(stride) tokens: windows of \(context) leave no gap from 1 to \(context)")
      }
      return (context, stride)
    }
  }

  /// Scores a text.
  ///
  /// Windows overlap as in transformers' guide to perplexity: each token is scored once, in the first window that has it.
  /// - Parameter byteCount: Of the text that the tokens are; what they stand for when nil.
  /// - Throws: `invalid` for a text of less than two tokens; `unsupported` for an encoder.
  public init(
    _ model: LoadedModel, tokens ids: [Int], byteCount: Int? = nil, windows: Windows = Windows(),
    parallelism: Parallelism, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) {
    (context, stride) = try windows.resolved(for: model)
    guard ids.count > 1 else {
      throw KistError(
        .invalid, field: "text",
        "is too short: of \(ids.count) \(ids.count == 1 ? "token" : "tokens") none follows another")
    }
    let labels = model.labels(of: ids)
    tokens = ids.indices.map { Token(position: $0, token: ids[$0], text: labels[$0]) }
    self.byteCount = 0
    progress.begin("Scoring", total: byteCount ?? ids.count)
    defer { progress.end() }
    var (start, scored) = (0, 1)
    while scored < ids.count {
      let window = start..<min(start + context, ids.count)
      // What a window begins with has nothing before it.
      let first = max(scored, start + 1)
      if first < window.upperBound { try score(first..<window.upperBound, in: window, ids, model, parallelism) }
      progress.advance(by: (byteCount ?? ids.count) * (window.upperBound - scored) / ids.count)
      scored = window.upperBound
      start += stride
    }
    countBytes(of: byteCount, model.tokenizer)
  }

  /// Counts the bytes of the scored tokens: all of the text's but those of the others.
  private mutating func countBytes(of whole: Int?, _ tokenizer: Tokenizer?) {
    guard let tokenizer else { return }
    let special = Set(tokenizer.specialTokens.map { Int($0.id) })
    func count(_ token: Token) -> Int {
      special.contains(token.token) ? 0 : tokenizer.surface(of: UInt32(token.token)).count
    }
    if let whole {
      byteCount = whole - tokens.reduce(0) { $0 + ($1.loss == nil ? count($1) : 0) }
    } else {
      byteCount = tokens.reduce(0) { $0 + ($1.loss == nil ? 0 : count($1)) }
    }
  }

  private mutating func score(
    _ scored: Range<Int>, in window: Range<Int>, _ ids: [Int], _ model: LoadedModel, _ parallelism: Parallelism
  ) throws(KistError) {
    let session = try Session(model.weights, parallelism: parallelism)
    let states = try session.advance(Array(ids[window]))
    let rows = scored.lowerBound - 1 - window.lowerBound..<scored.upperBound - 1 - window.lowerBound
    let losses = try session.losses(states, rows: rows, targets: Array(ids[scored]))
    let labels = model.labels(of: losses.map(\.best))
    for (index, loss) in losses.enumerated() {
      let place = scored.lowerBound + index
      tokens[place].loss = loss.loss
      tokens[place].probability = exp(-loss.loss)
      tokens[place].rank = loss.rank
      tokens[place].best = TokenProbability(token: loss.best, text: labels[index], probability: exp(-loss.bestLoss))
    }
  }
}
