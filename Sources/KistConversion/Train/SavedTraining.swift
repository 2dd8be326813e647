import KistArchitectures
import KistCore
import KistFormat
import KistTraining

/// A training that was saved in a container, to go on with.
public struct SavedTraining: Sendable {
  private let checkpoint: Checkpoint
  private let record: TrainingRecord
  public let container: TrainingContainer

  public var step: Int { record.step }
  public var settings: TrainingSettings { record.settings }

  /// - Throws: `invalid` for a file that no training can go on from.
  public init(path: String) throws(KistError) {
    checkpoint = try Checkpoint.open(path: path)
    guard let bytes = try checkpoint.container?.recordBytes(RecordName.training) else {
      throw KistError(
        .invalid, file: path, "has no state of a training to go on from",
        advice: "`kist train` without --resume begins a new one")
    }
    do throws(KistError) { record = try TrainingRecord(decoding: bytes) } catch { throw error.inFile(path) }
    var config: [UInt8]?
    var tokenizer: [(String, [UInt8])] = []
    for asset in checkpoint.assets {
      let bytes = try asset.smallContent(at: path)
      if asset.path == "config.json" { config = bytes } else { tokenizer.append((asset.path, bytes)) }
    }
    guard let config else { throw KistError(.damaged, file: path, field: "config.json", "is missing") }
    container = TrainingContainer(config: config, tokenizer: tokenizer)
  }

  /// The training with everything as it was.
  ///
  /// - Parameter settings: Those that were saved, perhaps with more steps.
  /// - Throws: `invalid` for another corpus; `damaged` for tensors that do not go with the configuration.
  public func trainer(
    settings: TrainingSettings, corpus: TokenCorpus, threads: Int?
  ) throws(KistError) -> Trainer {
    let path = checkpoint.path
    guard TrainingRecord.Corpus(corpus) == record.corpus else {
      throw KistError(
        .invalid, file: path, field: "corpus",
        "was trained on another text: \(record.corpus.tokens) tokens, not these \(corpus.tokenCount)",
        advice: "give the same --corpus and --tokenizer")
    }
    let model = try ModelDescription(ModelConfig(container.config, file: path + ": config.json"))
    let layout = try ParameterLayout(model, file: path)
    let store = ParameterStore(layout, stateNames: OptimizerSteps.stateNames(settings.optimizer))
    let weights = checkpoint.tensors.filter { !$0.isTrainingState }.map(\.weight)
    try store.take(weights, file: path)
    for state in store.states {
      for tensor in layout.fileTensors {
        store.take(
          try numbers("\(state.name).\(tensor.name)", shape: tensor.shape), of: tensor, into: state.numbers)
      }
    }
    let trainer = try Trainer(store, settings: settings, corpus: corpus, threads: threads)
    let losses = try numbers("loss", shape: [record.step])
    let heldOut = try numbers("held_out", shape: nil)
    trainer.resume(
      step: record.step, losses: losses,
      heldOutLosses: stride(from: 0, to: heldOut.count - 1, by: 2).map {
        Trainer.HeldOutLoss(step: Int(heldOut[$0]), loss: heldOut[$0 + 1])
      })
    return trainer
  }

  /// A tensor of the state; of any shape when none is given.
  private func numbers(_ name: String, shape: [Int]?) throws(KistError) -> [Float] {
    let name = TrainingContainer.prefix + name
    guard let tensor = checkpoint.tensors.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      throw KistError(.damaged, file: checkpoint.path, field: "tensor '\(name)'", "is missing")
    }
    let numbers = try tensor.weight.numbers(shape: shape ?? tensor.shape.dimensions, file: checkpoint.path)
    guard numbers.allSatisfy(\.isFinite) else {
      throw KistError(.damaged, file: checkpoint.path, field: "tensor '\(name)'", "has numbers that are not finite")
    }
    return numbers
  }
}
