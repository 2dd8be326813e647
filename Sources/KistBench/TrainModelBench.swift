import ArgumentParser
import Foundation
import KistArchitectures
import KistCore
import KistInference
import KistTraining

/// A step of training, forward to AdamW, against PyTorch eager in f32 on the same threads.
func trainModelBench(_ options: BenchOptions) throws {
  print("\nA training step: forward, backward, clipping, AdamW, f32 (\(options.threads) threads, 4 × 256 tokens)")
  row("", "Kist", "PyTorch eager", "against")
  try withTemporaryFolder(in: options.folder) { folder in
    for (name, config) in [("tiny Llama", LlamaShape.tiny), ("10M-parameter Llama", LlamaShape.small)] {
      let path = folder + "/config.json"
      try Data(config.json.utf8).write(to: URL(fileURLWithPath: path))
      let ours = try stepSeconds(config, options)
      let theirs = runPeer("training_peer.py", [path, "\(options.threads)", "\(options.runs)"], options)
      row(
        "\(name), \(config.parameterCount / 1000)k parameters", milliseconds(ours),
        theirs?["seconds"].map(milliseconds) ?? "–", theirs?["seconds"].map { times($0 / ours) } ?? "")
    }
  }
}

/// A Llama to train.
private struct LlamaShape {
  var width: Int
  var feedForward: Int
  var layers: Int
  var heads: Int
  var keyHeads: Int

  static let tiny = LlamaShape(width: 256, feedForward: 512, layers: 3, heads: 4, keyHeads: 2)
  static let small = LlamaShape(width: 384, feedForward: 1024, layers: 6, heads: 6, keyHeads: 6)

  var json: String {
    """
    {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": \(width), \
    "intermediate_size": \(feedForward), "num_hidden_layers": \(layers), "num_attention_heads": \(heads), \
    "num_key_value_heads": \(keyHeads), "vocab_size": 1024, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, \
    "hidden_act": "silu", "tie_word_embeddings": true, "use_cache": false}
    """
  }

  var parameterCount: Int { (try? layout.parameterCount) ?? 0 }

  var layout: ParameterLayout {
    get throws(KistError) {
      try ParameterLayout(try ModelDescription(ModelConfig(Array(json.utf8), file: "config.json")), file: "config.json")
    }
  }
}

private func stepSeconds(_ shape: LlamaShape, _ options: BenchOptions) throws -> Double {
  let settings = TrainingSettings()
  let store = ParameterStore(try shape.layout, stateNames: OptimizerSteps.stateNames(settings.optimizer))
  store.initialize(seed: 1, deviation: 0.02)
  let workers = Workers(threads: options.threads)
  let gradient = try LossGradient(store, sequences: 4, context: 256, workers: workers)
  let optimizer = OptimizerSteps(settings, store, workers)
  var random = RandomNumbers(seed: 1)
  let texts = (0..<4).map { _ in (0..<257).map { _ in random.below(1024) } }
  var number = 0
  return try best(of: max(10, options.runs)) {
    number += 1
    store.clearGradients()
    _ = try gradient.addGradient(of: texts)
    try optimizer.step(number, rate: 1e-4, norm: try optimizer.gradientNorm())
  }
}

struct TrainModel: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "A training step of two Llamas, against PyTorch eager.")
  @OptionGroup var options: BenchOptions
  func run() throws { try trainModelBench(options) }
}
