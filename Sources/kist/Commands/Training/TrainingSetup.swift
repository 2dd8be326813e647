import KistArchitectures
import KistConversion
import KistCore
import KistTokenizers
import KistTraining

/// A training that is ready to run: begun or taken up again.
struct TrainingSetup {
  let trainer: Trainer
  let container: TrainingContainer
  private(set) var notices: [String] = []

  init(beginning command: Train) throws(KistError) {
    let path = command.config ?? ""
    let (bytes, config) = try Self.readConfig(path)
    let model = try ModelDescription(config)
    let settings = command.training.settings(reach: model.mostTokens)
    try settings.check()
    let files = command.corpus
    if let tokenizer = command.tokenizer {
      container = TrainingContainer(config: bytes, tokenizer: try Self.read(tokenizer))
    } else {
      container = TrainingContainer(
        config: bytes, tokenizer: try Self.learn(files, model.vocabularySize, command.global))
    }
    let corpus = try Self.tokenize(files, container, model, command)
    trainer = try Trainer(
      model, settings: settings, corpus: corpus, deviation: try config.initialDeviation,
      threads: command.global.threads, file: path)
    addNotices()
  }

  init(resuming command: Train) throws(KistError) {
    let saved = try SavedTraining(path: command.output)
    container = saved.container
    let settings = try command.training.settings(resuming: saved.settings, file: command.output)
    guard settings.steps > saved.step else {
      throw KistError(
        .invalid, file: command.output, "has taken all of its \(saved.step) steps already",
        advice: "a larger --steps trains it further")
    }
    let model = try ModelDescription(ModelConfig(container.config, file: command.output + ": config.json"))
    let corpus = try Self.tokenize(command.corpus, container, model, command)
    trainer = try saved.trainer(settings: settings, corpus: corpus, threads: command.global.threads)
    notices.append("goes on after step \(saved.step)")
    addNotices()
  }

  private mutating func addNotices() {
    let settings = trainer.settings
    notices.append(
      "\(Quantity.count(trainer.parameterCount)) parameters, \(Quantity.count(trainer.corpus.tokenCount)) tokens of text; "
        + "\(Quantity.count(settings.tokensPerStep)) tokens a step")
    if !trainer.hasHeldOut, settings.heldOut > 0 {
      notices.append("the held-out part is shorter than a sequence: there will be no held-out loss")
    }
  }

  static func readConfig(_ path: String) throws(KistError) -> ([UInt8], ModelConfig) {
    let file = try MappedFile(path: path)
    guard file.count <= 1 << 24 else {
      throw KistError(.invalid, file: path, "\(file.count) bytes are too many for a configuration")
    }
    let bytes = unsafe file.bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    return (bytes, try ModelConfig(bytes, file: path))
  }

  static func read(_ path: String) throws(KistError) -> [(name: String, bytes: [UInt8])] {
    let file = try MappedFile(path: path)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let bytes = unsafe file.bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    return [(name.hasSuffix(".json") ? "tokenizer.json" : name, bytes)]
  }

  /// Learns a tokenizer from the text itself.
  static func learn(
    _ files: [String], _ size: Int, _ global: GlobalOptions
  ) throws(KistError) -> [(name: String, bytes: [UInt8])] {
    let training = TokenizerTraining(files: files, vocabularySize: size, specialTokens: ["<|endoftext|>"])
    let result = try training.run(parallelism: global.parallelism, progress: global.progress)
    guard result.tokenCount <= size else {
      throw KistError(
        .invalid, field: "vocab_size",
        "\(size) tokens are fewer than the \(result.tokenCount) of bytes and special tokens",
        advice: "a learned tokenizer needs at least 257")
    }
    return [("tokenizer.json", try result.json())]
  }

  private static func tokenize(
    _ files: [String], _ container: TrainingContainer, _ model: ModelDescription, _ command: Train
  ) throws(KistError) -> TokenCorpus {
    try TokenCorpus.tokenize(
      files: files, container.openTokenizer(), vocabularySize: model.vocabularySize,
      parallelism: command.global.parallelism, progress: command.global.progress)
  }
}

extension ModelConfig {
  /// The standard deviation of matrices at first; transformers' is 0.02 where the configuration says nothing.
  var initialDeviation: Double {
    get throws(KistError) {
      let named = try value("initializer_range")?.number
      let older = try value("init_std")?.number
      let deviation = named ?? older ?? 0.02
      guard deviation > 0, deviation.isFinite else {
        throw KistError(.invalid, file: file, field: "initializer_range", "is not a positive number")
      }
      return deviation
    }
  }
}
