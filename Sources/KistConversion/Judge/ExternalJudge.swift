import Foundation
import KistCore
import KistFormat

/// Runs a program by others on a model's tokens: in a Python that has it, or llama.cpp's own.
public struct ExternalJudge: Sendable {
  public var engine: ExternalEngine
  /// The Python to run: a path, or a name to look for.
  public let python: String
  /// Whether somebody named that Python, so that nothing else will do.
  private let isPythonNamed: Bool
  public var parallelism: Parallelism

  public init(engine: ExternalEngine, python: String?, parallelism: Parallelism) {
    self.engine = engine
    let named = python ?? ProcessInfo.processInfo.environment["KIST_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
    self.python = named ?? "python3"
    isPythonNamed = named != nil
    self.parallelism = parallelism
  }

  /// What a model is to be run on.
  public struct Input: Sendable {
    public var tokens: [Int]
    /// Whether just these tokens are asked for, and not what another tokenizer makes of their text.
    public var isExact: Bool

    public init(tokens: [Int], isExact: Bool) { (self.tokens, self.isExact) = (tokens, isExact) }
  }

  /// Whether a model computes what the program does.
  ///
  /// - Parameter target: Where to keep the program's logits; nowhere when nil.
  public func verdict(
    on model: LoadedModel, _ input: Input, savingTo target: String?, replacing: Bool, _ comparison: ModelComparison
  ) throws(KistError) -> Verdict {
    if let target, !replacing { try requireAbsent(target) }
    let folder = try TemporaryDirectory()
    let logits = try record(model, input, to: target ?? folder.file("logits.safetensors"))
    var comparison = comparison
    comparison.tolerance = comparison.tolerance ?? engine.tolerance
    var verdict = try comparison.compare(model, with: logits)
    verdict.reference = logits.reference ?? engine.rawValue
    return verdict
  }

  /// The logits that the program computes, recorded as `kist verify --golden` takes them.
  ///
  /// - Parameter target: Where to keep them, a .safetensors file.
  /// - Throws: `missing` when the program is not installed; `system` with its own words when it fails; `unsupported` when the model
  ///   can't be written in a format that it reads.
  public func record(_ model: LoadedModel, _ input: Input, to target: String) throws(KistError) -> LogitFile {
    guard model.model.head.hasLogits else {
      throw KistError(
        .unsupported, file: model.path, "has no logits to compare: it is an encoder",
        advice: "compare sentence vectors with --against")
    }
    let folder = try TemporaryDirectory()
    let path = try readable(model.checkpoint, in: folder)
    let logits: RecordedLogits
    do throws(KistError) { logits = try inPython(path, input.tokens, in: folder) } catch {
      guard error.kind == .missing, engine == .llamaCpp, !isPythonNamed, let program = LlamaResults.installed else {
        throw error
      }
      logits = try inProgram(program, path, model, input, in: folder)
    }
    try logits.write(to: target, replacingExisting: true)
    return try LogitFile(path: target)
  }

  private func inPython(
    _ path: String, _ tokens: [Int], in folder: TemporaryDirectory
  ) throws(KistError) -> RecordedLogits {
    let list = "[" + tokens.map(String.init).joined(separator: ",") + "]"
    let tokensPath = folder.file("tokens.json")
    let logitsPath = folder.file("logits.f32")
    try folder.write(Array(list.utf8), "tokens.json")
    let result = try run([path, tokensPath, logitsPath])
    let logits = try MappedFile(path: logitsPath)
    guard result.vocabulary > 0, logits.count == 4 * tokens.count * result.vocabulary else {
      throw KistError(.system, file: path, "\(result.engine) gave \(logits.count) bytes of logits")
    }
    let values = unsafe logits.pointer(0..<logits.count).numbers(UInt32.self).map { Float(bitPattern: $0) }
    return RecordedLogits(
      tokens: tokens, values: values, vocabularySize: result.vocabulary, reference: result.engine)
  }

  /// The logits of the tokens' text. Which tokens that makes, the program says.
  private func inProgram(
    _ program: LlamaResults, _ path: String, _ model: LoadedModel, _ input: Input, in folder: TemporaryDirectory
  ) throws(KistError) -> RecordedLogits {
    let ids = input.tokens.compactMap { UInt32(exactly: $0) }
    let text = try model.requireTokenizer().decode(ids, skippingSpecialTokens: true)
    let logits = try program.record(
      path, text: text, tokenCount: ids.count, in: folder, threads: parallelism.threadCount)
    guard !input.isExact || logits.tokens == input.tokens else {
      throw KistError(
        .unsupported, file: model.path,
        "\(LlamaResults.name) takes texts, and makes other tokens of the text of these",
        advice: "pip install llama-cpp-python, which takes tokens")
    }
    return logits
  }

  /// The model as the program reads it: as it is, or made for it.
  private func readable(_ checkpoint: Checkpoint, in folder: TemporaryDirectory) throws(KistError) -> String {
    guard !engine.reads(checkpoint.format) || MappedFile.isAddress(checkpoint.path) else { return checkpoint.path }
    let target = folder.file(engine.targetName(for: checkpoint.provenanceFormat))
    do throws(KistError) {
      _ = try Conversion.plan(
        source: checkpoint.path, target: target, options: ConversionOptions(probes: .none, parallelism: parallelism)
      ).run(progress: NoProgress())
    } catch {
      guard error.kind == .unsupported else { throw error }
      throw KistError(
        .unsupported, file: checkpoint.path,
        "can't be written in a format that \(engine.rawValue) reads: \(error.problem)")
    }
    return target
  }

  /// - Parameter arguments: The model, tokens, and the file to write logits to.
  private func run(_ arguments: [String]) throws(KistError) -> (engine: String, vocabulary: Int) {
    // Nothing of the model is looked for elsewhere.
    let environment = ["HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "PYTHONWARNINGS": "ignore"]
    let outcome = try ChildProgram(name: python, environment: environment).run(["-c", engine.script] + arguments)
    let lastLine = outcome.output.split(separator: "\n").last.map(String.init)
    switch outcome.status {
    case 0: break
    case 3:
      throw KistError(
        .missing, file: python, "has no module \(lastLine ?? engine.rawValue)", advice: engine.installation)
    case 126, 127: throw KistError(.missing, file: python, "no such Python", advice: engine.installation)
    default:
      throw KistError(
        .system, file: arguments[0], "\(engine.rawValue) can't compute it: \(outcome.lastComplaint)")
    }
    let line = Array((lastLine ?? "").utf8)
    guard let document = try? unsafe JSONDocument(line.span.bytes), let name = document.root["engine"]?.string,
      let size = document.root["vocabulary"]?.int
    else { throw KistError(.system, file: arguments[0], "\(engine.rawValue) did not say what it computed") }
    return (name, size)
  }
}

/// A folder that goes with this object.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws(KistError) {
    path = "\(UnnamedFile.folder)/kist-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    guard unsafe mkdir(path, 0o700) == 0 else { throw .fromErrno(file: UnnamedFile.folder) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ bytes: [UInt8], _ name: String) throws(KistError) {
    do { try Data(bytes).write(to: URL(fileURLWithPath: file(name))) } catch {
      throw KistError(.system, file: file(name), "can't be written: \(error.localizedDescription)")
    }
  }
}
