import ArgumentParser
import Foundation
import KistCore

/// Measures Kist against its peers, in one run, on one machine, with the same number of threads.
@main
struct KistBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kist-bench",
    abstract: "Measures Kist against its peers: the figures of README.md.",
    discussion: "Peers are Python packages; --python names an interpreter that has them (`make bench` installs one).",
    subcommands: [
      All.self, Pack.self, Open.self, Convert.self, Edit.self, Infer.self, Quantize.self, Tokenize.self,
      TokenizeOnce.self,
      Normalize.self, Train.self, TrainOnce.self, TrainModel.self, Compile.self, Neighbors.self,
    ])
}

struct BenchOptions: ParsableArguments {
  @Option(help: "A Python interpreter that has the peers.")
  var python = ".peers/bin/python"

  @Option(help: "Threads, for Kist and for peers that have any.")
  var threads = 2

  @Option(help: "Runs of each measurement; the best counts.")
  var runs = 5

  @Option(help: "A folder for large temporary files.")
  var folder = FileManager.default.temporaryDirectory.path
}

struct All: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Everything, one after the other.")
  @OptionGroup var options: BenchOptions

  func run() throws {
    try convertBench(options, gigabytes: 5)
    try ggufBench(options, llamaCPP: nil)
    try editBench(options, gigabytes: 5)
    try packBench(options)
    try openBench(options)
    try inferBench(options)
    try tokenizeBench(options, tokenizers: Tokenize.defaultFolder)
    try normalizeBench(options, tokenizers: Tokenize.defaultFolder)
    try compileBench(options)
    try trainBench(options)
    try trainModelBench(options)
    try neighborsBench(options, rows: 250_000)
    try quantizeBench(options, llamaQuantize: nil, millions: 16)
  }
}

struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lossless size and speed on MiniLM's weights, against ZipNN.")
  @OptionGroup var options: BenchOptions
  func run() throws { try packBench(options) }
}

struct Open: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Opening and listing many tensors, against safetensors and gguf.")
  @OptionGroup var options: BenchOptions
  func run() throws { try openBench(options) }
}

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Converting a large synthetic checkpoint, and a Llama to GGUF: pace and memory.")
  @OptionGroup var options: BenchOptions
  @Option(help: "Size of the checkpoint; 0 leaves it out.") var gigabytes = 5
  @Option(help: "A folder with llama.cpp's source.") var llamaCpp: String?
  func run() throws {
    if gigabytes > 0 { try convertBench(options, gigabytes: gigabytes) }
    try ggufBench(options, llamaCPP: llamaCpp)
  }
}

struct Infer: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "The forward pass, against transformers and memory's pace.")
  @OptionGroup var options: BenchOptions
  func run() throws { try inferBench(options) }
}

struct Edit: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Changing one value in a large container.")
  @OptionGroup var options: BenchOptions
  @Option(help: "Size of the checkpoint.") var gigabytes = 5
  func run() throws { try editBench(options, gigabytes: gigabytes) }
}
