import Foundation
import KistArchitectures
import KistConversion
import KistCore
import KistTokenizers
import KistTraining
import TestSupport
import Testing

/// The loop: batches, checkpoints, what goes wrong.
@Suite struct TrainerTests {
  private static let text = fixtures + "/world-llama/held-out.txt"
  private static let config = Array(
    """
    {"architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
     "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1024, "max_position_embeddings": 64,
     "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": true, "initializer_range": 0.02}
    """.utf8)

  private let container: TrainingContainer
  private let corpus: TokenCorpus
  private let model: ModelDescription

  init() throws {
    let tokenizer = try Data(contentsOf: URL(fileURLWithPath: fixtures + "/world-llama/tokenizer.json"))
    container = TrainingContainer(config: Self.config, tokenizer: [("tokenizer.json", Array(tokenizer))])
    corpus = try TokenCorpus.tokenize(
      files: [Self.text], container.openTokenizer(), vocabularySize: 1024, parallelism: Parallelism(threads: 2),
      progress: NoProgress())
    model = try ModelDescription(ModelConfig(Self.config, file: "config.json"))
  }

  private func settings(_ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
    var settings = TrainingSettings()
    (settings.steps, settings.batch, settings.context, settings.warmUp) = (12, 2, 32, 2)
    (settings.rate, settings.minimumRate, settings.evaluationInterval, settings.heldOut) = (0.01, 0.001, 5, 0.2)
    change(&settings)
    return settings
  }

  private func trainer(_ settings: TrainingSettings, threads: Int = 2) throws -> Trainer {
    try Trainer(model, settings: settings, corpus: corpus, deviation: 0.02, threads: threads, file: "config.json")
  }

  /// Trains to the end; the bytes of the checkpoint.
  private func run(_ trainer: Trainer, to path: String) throws -> Data {
    try trainer.run(saveInterval: 1000, cancellation: Cancellation(), observer: Nobody()) { () throws(KistError) in
      try container.write(trainer, to: path, keepsState: true, parallelism: Parallelism(threads: 1))
    }
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private struct Nobody: TrainingObserver {
    func advanced(_ report: Trainer.StepReport) {}
    func evaluated(step: Int, heldOutLoss: Double) {}
  }

  @Test func `the corpus is the tokenizer's own tokens`() throws {
    let tokenizer = try container.openTokenizer()
    let ids = try tokenizer.encode(
      Array(try Data(contentsOf: URL(fileURLWithPath: Self.text))), tokenizer.referenceSettings)
    #expect(corpus.tokens(0..<corpus.tokenCount) == ids.map { Int($0) })
  }

  @Test(arguments: TrainingSettings.Optimizer.allCases)
  func `a training learns, with every optimizer, and both losses are recorded`(
    optimizer: TrainingSettings.Optimizer
  ) throws {
    let folder = try TemporaryFolder()
    let trainer = try trainer(
      settings {
        $0.optimizer = optimizer
        $0.steps = 40
        if optimizer == .sgd { ($0.rate, $0.minimumRate) = (0.5, 0.1) }
        if optimizer == .adam { $0.weightDecay = 0 }
      })
    _ = try run(trainer, to: folder.path + "/a.kist")
    #expect(abs(trainer.losses[0] - log(1024)) < 0.2)
    #expect(trainer.losses[39] < trainer.losses[0] - 0.7)
    #expect(trainer.heldOutLosses.map(\.step) == [5, 10, 15, 20, 25, 30, 35, 40])
    #expect(try #require(trainer.heldOutLosses.last).loss < 6.3)
  }

  @Test(arguments: TrainingSettings.Optimizer.allCases)
  func `a training that was stopped goes on to the same file, bit for bit, with other threads`(
    optimizer: TrainingSettings.Optimizer
  ) throws {
    let folder = try TemporaryFolder()
    let wanted = settings { ($0.optimizer, $0.accumulation) = (optimizer, 2) }
    let whole = try run(try trainer(wanted), to: folder.path + "/whole.kist")
    let (path, stopped) = (folder.path + "/parts.kist", try trainer(wanted, threads: 1))
    let cancellation = Cancellation()
    let error = #expect(throws: KistError.self) {
      for _ in 0..<7 { _ = try stopped.advance() }
      cancellation.cancel()
      try stopped.run(saveInterval: 1000, cancellation: cancellation, observer: Nobody()) { () throws(KistError) in
        try container.write(stopped, to: path, keepsState: true, parallelism: Parallelism(threads: 1))
      }
    }
    #expect(error?.kind == .interrupted)
    let saved = try SavedTraining(path: path)
    #expect(saved.step == 7 && saved.settings == wanted)
    let parts = try run(try saved.trainer(settings: wanted, corpus: corpus, threads: 3), to: path)
    // It was not evaluated at step 5, by hand as it went there.
    let names = ["training.held_out"]
    let (a, b) = (try Checkpoint.open(path: folder.path + "/whole.kist"), try Checkpoint.open(path: path))
    #expect(a.tensors.map(\.name) == b.tensors.map(\.name))
    for (first, second) in zip(a.tensors, b.tensors) where !names.contains(first.name) {
      #expect(first.entry?.digest == second.entry?.digest, "\(first.name)")
    }
    #expect(whole.count > 0 && parts.count > 0)
  }

  @Test func `a checkpoint is an ordinary model, and other formats get the model alone`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.kist"
    _ = try run(try trainer(settings()), to: path)
    let loaded = try LoadedModel.open(path: path)
    #expect(loaded.model.vocabularySize == 1024 && loaded.tokenizer != nil)
    let conversion = try Conversion.plan(
      source: path, target: folder.path + "/hf", options: ConversionOptions(parallelism: Parallelism(threads: 1)))
    _ = try conversion.run(progress: NoProgress())
    let names = try Checkpoint.open(path: folder.path + "/hf").tensors.map(\.name)
    #expect(names.count == 2 * 9 + 2)
    #expect(names.allSatisfy { $0.hasPrefix("model.") })
    let same = try Conversion.plan(
      source: path, target: folder.path + "/b.kist", options: ConversionOptions(parallelism: Parallelism(threads: 1)))
    _ = try same.run(progress: NoProgress())
    #expect(try SavedTraining(path: folder.path + "/b.kist").step == 12)
  }

  @Test func `gradients that are not finite stop the training and change nothing`() throws {
    let trainer = try trainer(settings { ($0.rate, $0.warmUp, $0.clip, $0.optimizer) = (1e30, 0, nil, .sgd) })
    let error = #expect(throws: KistError.self) { for _ in 0..<10 { _ = try trainer.advance() } }
    #expect(error?.field == "step \(trainer.step + 1)")
    #expect(error?.problem.contains("norm") == true && error?.advice?.contains("--lr") == true)
    #expect(trainer.losses.count == trainer.step && trainer.losses.allSatisfy(\.isFinite))
  }

  @Test func `a corpus smaller than a batch, and settings that make no sense, are refused`() throws {
    let small = #expect(throws: KistError.self) { try trainer(settings { $0.batch = 100 }) }
    #expect(small?.field == "corpus" && small?.advice?.contains("--batch") == true)
    let long = #expect(throws: KistError.self) { try LossGradientReach().check(model) }
    #expect(long?.field == "context")
    for change: (inout TrainingSettings) -> Void in [
      { $0.steps = 0 }, { $0.rate = 0 }, { $0.rate = .nan }, { $0.minimumRate = 1 }, { $0.heldOut = 1 },
      { $0.beta2 = 1 }, { $0.clip = 0 }, { $0.context = -1 },
    ] {
      #expect(throws: KistError.self) { try trainer(settings(change)) }
    }
  }

  private struct LossGradientReach {
    func check(_ model: ModelDescription) throws {
      let store = ParameterStore(try ParameterLayout(model, file: ""), stateNames: [])
      _ = try LossGradient(store, sequences: 1, context: 65, workers: Workers(threads: 1))
    }
  }

  @Test func `another corpus is not gone on with`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.kist"
    _ = try run(try trainer(settings()), to: path)
    let other = folder.path + "/other.txt"
    try Data("The king has a lion.\n".utf8).write(to: URL(fileURLWithPath: other))
    let corpus = try TokenCorpus.tokenize(
      files: [other], container.openTokenizer(), vocabularySize: 1024, parallelism: Parallelism(threads: 1),
      progress: NoProgress())
    let error = #expect(throws: KistError.self) {
      try SavedTraining(path: path).trainer(settings: settings(), corpus: corpus, threads: 1)
    }
    #expect(error?.field == "corpus")
  }

  @Test func `each epoch takes every window once, in an order of its own`() throws {
    var sampler = try BatchSampler(tokenCount: 1000, context: 32, batch: 3, seed: 5)
    let epochs = (0..<20).map { sampler.starts(ofBatch: $0, size: 3) }.flatMap { $0 }
    let (first, second) = (Array(epochs[..<30]), Array(epochs[30...]))
    #expect(Set(first).count == 30 && Set(second).count == 30)
    #expect(first != second)
    #expect(epochs.allSatisfy { $0 >= 0 && $0 + 33 <= 1000 })
    var again = try BatchSampler(tokenCount: 1000, context: 32, batch: 3, seed: 5)
    #expect(again.starts(ofBatch: 13, size: 3) == Array(epochs[39..<42]))
  }

  @Test func `weights begin as transformers begins them`() throws {
    let fixture = try GradientFixture("gpt2")
    fixture.store.initialize(seed: 1, deviation: 0.02)
    for parameter in fixture.store.layout.parameters where parameter.isMatrix {
      let values = Array(fixture.store.values.numbers()[parameter.range])
      let deviation = values.norm / Double(values.count).squareRoot()
      let isScaled = parameter.key.role == .attentionOutput || parameter.key.role == .down
      let expected = isScaled ? 0.02 / 2 : 0.02  // two layers: √4
      #expect(abs(deviation / expected - 1) < 0.1, "\(parameter.key)")
    }
    let norm = try fixture.store.layout.parameter(TensorKey(.finalNorm))
    #expect(fixture.store.values.numbers()[norm.range].allSatisfy { $0 == 1 })
  }

  @Test func `the rate rises in a line and falls by a cosine`() {
    let settings = settings { ($0.steps, $0.warmUp, $0.rate, $0.minimumRate) = (110, 10, 1, 0.2) }
    #expect(abs(settings.rate(at: 0) - 0.1) < 1e-12 && abs(settings.rate(at: 9) - 1) < 1e-12)
    #expect(abs(settings.rate(at: 10) - 1) < 1e-12 && abs(settings.rate(at: 60) - 0.6) < 1e-12)
    #expect(abs(settings.rate(at: 110) - 0.2) < 1e-12)
  }
}
