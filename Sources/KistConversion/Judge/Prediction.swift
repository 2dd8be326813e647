import Foundation
import KistCore
import KistInference
import KistTokenizers

/// How the next token is chosen.
public struct Sampling: Sendable {
  /// 0 takes the likeliest.
  public var temperature: Double
  /// Takes only the k likeliest into account; all when nil.
  public var topK: Int?
  /// Takes only the likeliest that make up this probability into account.
  public var topP: Double?
  public var seed: UInt64

  public init(temperature: Double = 0, topK: Int? = nil, topP: Double? = nil, seed: UInt64 = 0) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }

  /// Probabilities of tokens after temperature, likeliest first, those that can be taken.
  func candidates(_ logits: [Float]) -> [(token: Int, probability: Double)] {
    let scaled = logits.map { Double($0) / max(temperature, 1e-6) }
    let order = LogitComparison.best(scaled, min(topK ?? scaled.count, scaled.count))
    let sum = LogitComparison.logSumExp(order.map { scaled[$0] })
    var (kept, mass) = ([(token: Int, probability: Double)](), 0.0)
    for token in order {
      let probability = exp(scaled[token] - sum)
      kept.append((token, probability))
      mass += probability
      if let topP, mass >= topP { break }
    }
    return kept.map { ($0.token, $0.probability / mass) }
  }
}

/// A token that may come next.
public struct TokenProbability: Sendable, Codable, Equatable {
  public var token: Int
  /// Its bytes as text, what is no UTF-8 escaped.
  public var text: String
  public var probability: Double
}

/// Continues a text with a model.
public final class Prediction {
  private let model: LoadedModel
  private let session: Session
  private let tokenizer: Tokenizer
  private var random: SplitMix
  private let sampling: Sampling
  /// Logits of the token that comes next.
  private var logits: [Float]
  public private(set) var tokens: [Int]

  /// Runs a model over a text.
  ///
  /// - Throws: `missing` when the model has no tokenizer; `invalid` for an empty or too long text.
  public init(
    _ model: LoadedModel, text: String, sampling: Sampling = Sampling(), parallelism: Parallelism
  ) throws(KistError) {
    self.model = model
    self.sampling = sampling
    tokenizer = try model.requireTokenizer()
    random = SplitMix(state: sampling.seed)
    tokens = try model.tokens(of: text)
    session = try Session(model.weights, parallelism: parallelism)
    let states = try session.advance(tokens)
    logits = try session.logits(states, rows: states.rowCount - 1..<states.rowCount).numbers()
  }

  /// The likeliest next tokens, by the model's own probabilities.
  public func likeliest(_ count: Int) -> [TokenProbability] { model.likeliest(logits, count) }

  /// Takes one more token and gives its bytes; nil at the end of the text.
  public func next() throws(KistError) -> [UInt8]? {
    let token = choose()
    guard !model.endTokens.contains(token), tokens.count < model.model.mostTokens ?? .max else { return nil }
    tokens.append(token)
    let states = try session.advance([token])
    logits = try session.logits(states).numbers()
    // Alone, a token may be a part of a character.
    let before = try tokenizer.decode(tokens.dropLast().map(UInt32.init), skippingSpecialTokens: true)
    let after = try tokenizer.decode(tokens.map(UInt32.init), skippingSpecialTokens: true)
    return after.starts(with: before) ? Array(after.dropFirst(before.count)) : []
  }

  private func choose() -> Int {
    guard sampling.temperature > 0 else { return LogitComparison.best(logits, 1)[0] }
    let candidates = sampling.candidates(logits)
    var rest = random.fraction()
    for candidate in candidates {
      rest -= candidate.probability
      if rest < 0 { return candidate.token }
    }
    return candidates[candidates.count - 1].token
  }
}

extension LoadedModel {
  /// Tokens that end a text: `eos_token_id` of generation_config.json, else of config.json.
  var endTokens: Set<Int> {
    for name in ["generation_config.json", "config.json"] {
      guard let asset = checkpoint.assets.first(where: { $0.path.utf8.elementsEqual(name.utf8) }),
        let bytes = try? asset.smallContent(at: path), let document = try? unsafe JSONDocument(bytes.span.bytes),
        let value = document.root["eos_token_id"]
      else { continue }
      let tokens = value.array?.compactMap(\.int) ?? (value.int.map { [$0] } ?? [])
      if !tokens.isEmpty { return Set(tokens) }
    }
    return []
  }
}

/// A seeded generator. Source: Steele, Lea and Flood 2014.
struct SplitMix {
  var state: UInt64

  /// From 0 up to 1.
  mutating func fraction() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return Double((mixed ^ mixed >> 31) >> 11) * 0x1p-53
  }
}
