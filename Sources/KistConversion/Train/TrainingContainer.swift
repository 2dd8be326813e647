import Foundation
import KistArchitectures
import KistCore
import KistFormat
import KistInference
import KistTokenizers
import KistTraining

/// A training as a container: an ordinary model with its configuration and tokenizer, and beside it what is needed to go on.
///
/// The record `kist:training` says how far it came and by which settings. Tensors whose names begin `training.` hold the optimizer's
/// running averages (`training.exp_avg.NAME`, in the shape of NAME), the loss of each step (`training.loss`), and held-out losses with
/// their steps (`training.held_out`). They are no part of the model: computing passes over them, and other formats do not get them.
public struct TrainingContainer: Sendable {
  /// config.json as it was given.
  public var config: [UInt8]
  /// Files of the tokenizer by name: tokenizer.json.
  public var tokenizer: [(name: String, bytes: [UInt8])]

  public init(config: [UInt8], tokenizer: [(name: String, bytes: [UInt8])]) {
    self.config = config
    self.tokenizer = tokenizer
  }

  /// What begins the names of tensors that are a training's state.
  static let prefix = "training."

  /// Writes a checkpoint: under its name is always a whole one.
  ///
  /// - Parameter keepsState: Whether the training can go on from it.
  public func write(
    _ trainer: Trainer, to path: String, keepsState: Bool, parallelism: Parallelism
  ) throws(KistError) {
    let writer = try KistWriter(
      creating: path, options: WriterOptions(parallelism: parallelism, replacesExisting: true))
    let store = trainer.store
    var tensors = store.layout.fileTensors.map {
      NewEntry.numbers($0.name, $0.shape, store.numbers(of: $0, in: store.values))
    }
    if keepsState { tensors += stateTensors(trainer) }
    try writer.add(tensors)
    let assets = [("config.json", config)] + tokenizer.map { ($0.name, $0.bytes) }
    try writer.add(
      assets.sorted { compareBytes($0.0, $1.0) < 0 }.map { .asset($0.0, source: MemorySource($0.1)) })
    let provenance = Provenance(source: .huggingFace, weights: [], emptyDirectories: [])
    try writer.add(record: RecordName.provenance, provenance.encoded())
    if case .compiled(let record) = CompiledTokenizer.compile(tokenizerAssets) {
      try writer.add([.record(RecordName.tokenizer, record, staysRaw: true)])
    }
    if keepsState { try writer.add(record: RecordName.training, try TrainingRecord(trainer).encoded()) }
    try writer.finish()
  }

  /// Opens the tokenizer.
  ///
  /// - Throws: `unsupported` for one that this version can't run.
  public func openTokenizer() throws(KistError) -> Tokenizer {
    switch CompiledTokenizer.compile(tokenizerAssets) {
    case .compiled(let record): return try Tokenizer(record: RecordStorage(record))
    case .failed(let error): throw error
    case .none: throw KistError(.missing, field: "tokenizer", "there is none")
    }
  }

  private var tokenizerAssets: [CheckpointAsset] {
    tokenizer.map { CheckpointAsset(path: $0.name, source: MemorySource($0.bytes)) }
  }

  private func stateTensors(_ trainer: Trainer) -> [NewEntry] {
    let store = trainer.store
    let averages = store.states.flatMap { state in
      store.layout.fileTensors.map {
        NewEntry.numbers(
          "\(Self.prefix)\(state.name).\($0.name)", $0.shape, store.numbers(of: $0, in: state.numbers))
      }
    }
    let heldOut = trainer.heldOutLosses
    return averages + [
      .numbers(Self.prefix + "loss", [trainer.losses.count], trainer.losses),
      .numbers(Self.prefix + "held_out", [heldOut.count, 2], heldOut.flatMap { [Float($0.step), $0.loss] }),
    ]
  }

  /// Lets a finished model say what it computes.
  public static func recordProbes(in path: String, parallelism: Parallelism) throws(KistError) {
    let probes = try ProbeSet(of: try LoadedModel.open(path: path), parallelism: parallelism)
    let editor = try KistEditor(path: path, options: WriterOptions(parallelism: parallelism))
    editor.put(.record(RecordName.probes, try probes.encoded()))
    _ = try editor.commit()
  }
}

extension NewEntry {
  fileprivate static func numbers(_ name: String, _ shape: [Int], _ numbers: [Float]) -> NewEntry {
    // The machines that Kist runs on are little-endian, as files are.
    let bytes = unsafe numbers.withUnsafeBytes { unsafe [UInt8]($0) }
    return .tensor(name, dtype: .f32, shape: Shape(shape), source: MemorySource(bytes))
  }
}
