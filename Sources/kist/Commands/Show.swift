import ArgumentParser
import KistConversion
import KistCore

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print values of a tensor, or extract them as .npy.",
    discussion: """
      The slice is written as in numpy: an index, a range start:stop:step with each part optional, negative numbers \
      counted from the end, ... for all other dimensions. Without one, the whole tensor is shown; of more than 1000 \
      elements, the edges.

      With -o the values are written to a NumPy file. NumPy has no BF16, FP8, FP6 or FP4: those are written as F32, \
      which holds them exactly.

      EXAMPLES
        kist show minilm.kist embeddings.LayerNorm.weight
        kist show minilm.kist embeddings.word_embeddings.weight '[0:4, :8]'
        kist show minilm.kist embeddings.word_embeddings.weight '[-1]' -o last.npy
        kist show model.safetensors lm_head.weight '[..., ::2]' --json
      """)

  @Argument(
    help: "A .kist, safetensors, GGUF, PyTorch or NumPy file, or a Hugging Face directory.", completion: .file())
  var source: String

  @Argument(help: "The tensor's name.")
  var tensor: String

  @Argument(help: "The part to show: '[0:4, :8]'.")
  var slice: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Write the values to a .npy file instead.", valueName: "file.npy"),
    completion: .file())
  var output: String?

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let slice = try slice.map { text throws(KistError) in try TensorSlice(text) } ?? .whole
    let view = try TensorView(tensor, slice, in: try Checkpoint.open(path: source))
    if let output {
      try extract(view, to: output)
    } else if global.json {
      Output.text(
        "{\"dtype\":\(quoted(view.dtype.name)),\"name\":\(quoted(view.tensor.name)),\"shape\":\(view.shape),\"values\":"
      )
      try view.writeJSON { Output.text($0) }
      Output.line("}")
    } else {
      Output.line(Terminal.bold("\(view.tensor.name.escapedForTerminal) \(view.dtype) \(view.shape)"))
      Output.line(try view.text(width: Terminal.width ?? 75))
    }
  }

  private func extract(_ view: TensorView, to path: String) throws {
    try view.writeNpy(
      to: path, replacingExisting: global.force, cancellation: Interruption.shared.stoppable())
    if view.numpyDType != view.dtype {
      global.notice("NumPy has no \(view.dtype): the values were widened to \(view.numpyDType), exactly")
    }
    let result = Extraction(
      output: path, name: view.tensor.name, dtype: view.numpyDType.name, shape: view.shape.dimensions)
    if global.json {
      try Output.json(result)
    } else {
      Output.line("\(path.escapedForTerminal): \(view.numpyDType) \(view.shape)")
    }
  }

  private func quoted(_ text: String) -> String {
    var json = JSONText()
    json.string(text)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  /// What `-o` prints with `--json`.
  private struct Extraction: Encodable {
    var output: String
    var name: String
    var dtype: String
    var shape: [Int]
  }
}
