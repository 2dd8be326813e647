import KistArchitectures
import KistCore

/// The models of a sweep: small Llamas of some widths, each trained anew on each amount of text.
public struct SweepPlan: Sendable {
  public var widths: [Int]
  public var tokens: [Int]
  public var vocabularySize: Int
  public var batch: Int
  public var context: Int
  /// Peak learning rate of a model 64 wide; half as wide takes twice that, so that each width trains about as well as it can.
  public var rate: Double
  public var seed: UInt64

  public init(
    widths: [Int], tokens: [Int], vocabularySize: Int, batch: Int, context: Int, rate: Double, seed: UInt64
  ) {
    (self.widths, self.tokens, self.vocabularySize) = (widths, tokens, vocabularySize)
    (self.batch, self.context, self.rate, self.seed) = (batch, context, rate, seed)
  }

  public struct Model: Sendable, Equatable {
    public var width: Int
    public var layerCount: Int
    public var tokens: Int
  }

  /// The least work first.
  public var models: [Model] {
    widths.sorted().flatMap { width in
      tokens.sorted().map { Model(width: width, layerCount: max(2, (width + 16) / 32), tokens: $0) }
    }
  }

  public func check() throws(KistError) {
    guard !widths.isEmpty, widths.allSatisfy({ $0 >= 16 && $0 <= 4096 && $0 % 16 == 0 }) else {
      throw KistError(.invalid, field: "widths", "are multiples of 16, up to 4096")
    }
    guard !tokens.isEmpty, tokens.allSatisfy({ $0 >= batch * context }) else {
      throw KistError(.invalid, field: "tokens", "are at least those of one step: \(batch * context)")
    }
  }

  /// What matrices begin with: 0.02 for a width of 400; narrow models would be slow to begin from that.
  private func deviation(of model: Model) -> Double { 0.4 / Double(model.width).squareRoot() }

  /// The configuration of a model: heads of 16 numbers, feed-forward of 8/3 the width.
  public func configuration(of model: Model) -> String {
    let feedForward = (model.width * 8 / 3 + 15) / 16 * 16
    return """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": \(model.width), \
      "intermediate_size": \(feedForward), "num_hidden_layers": \(model.layerCount), \
      "num_attention_heads": \(model.width / 16), "num_key_value_heads": \(model.width / 16), "head_dim": 16, \
      "vocab_size": \(vocabularySize), "max_position_embeddings": \(context), "rms_norm_eps": 1e-5, \
      "hidden_act": "silu", "tie_word_embeddings": true, "initializer_range": \(deviation(of: model))}
      """
  }

  /// How a model is trained: its own warm-up and cosine over its own tokens, so that each run is as good as it can be.
  public func settings(of model: Model) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.batch = batch
    settings.context = context
    settings.steps = max(1, model.tokens / (batch * context))
    settings.warmUp = settings.steps / 10
    settings.rate = rate * 64 / Double(model.width)
    settings.minimumRate = settings.rate / 10
    settings.seed = seed
    settings.evaluationInterval = settings.steps
    return settings
  }

  /// A model that was trained.
  public struct Outcome: Sendable {
    public var model: Model
    public var parameters: Int
    public var parametersWithoutEmbeddings: Int
    /// Tokens that it saw.
    public var tokens: Int
    /// On the part that it was not trained on.
    public var loss: Double
    public var seconds: Double
  }

  /// Trains a model.
  ///
  /// - Throws: `invalid` when the corpus is too small for a batch or for a held-out loss; `interrupted`.
  public func train(
    _ model: Model, on corpus: TokenCorpus, threads: Int?, cancellation: Cancellation
  ) throws(KistError) -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    let config = try ModelConfig(Array(configuration(of: model).utf8), file: "a model \(model.width) wide")
    let settings = settings(of: model)
    let trainer = try Trainer(
      try ModelDescription(config), settings: settings, corpus: corpus, deviation: deviation(of: model),
      threads: threads,
      file: config.file)
    guard trainer.hasHeldOut else {
      throw KistError(
        .invalid, field: "corpus", "its held-out part is shorter than \(context) tokens", advice: "give it more text")
    }
    while trainer.step < settings.steps {
      try cancellation.check()
      _ = try trainer.advance()
    }
    guard let loss = try trainer.evaluate() else { throw KistError(.invalid, "there is no held-out loss") }
    return Outcome(
      model: model, parameters: trainer.parameterCount,
      parametersWithoutEmbeddings: trainer.parameterCountWithoutEmbeddings,
      tokens: settings.steps * settings.tokensPerStep, loss: loss, seconds: (clock.now - start) / .seconds(1))
  }
}
