import Foundation
import KistCore
import KistFormat

/// Runs a program by others on a model's tokens, in a Python that has it.
public struct ExternalJudge: Sendable {
  public var engine: ExternalEngine
  /// The Python to run: a path, or a name to look for.
  public var python: String
  public var parallelism: Parallelism

  public init(engine: ExternalEngine, python: String?, parallelism: Parallelism) {
    self.engine = engine
    self.python = python ?? ProcessInfo.processInfo.environment["KIST_PYTHON"] ?? "python3"
    self.parallelism = parallelism
  }

  /// Whether a model computes what the program does.
  ///
  /// - Parameter target: Where to keep the program's logits; nowhere when nil.
  public func verdict(
    on model: LoadedModel, tokens: [Int], savingTo target: String?, replacing: Bool, _ comparison: ModelComparison
  ) throws(KistError) -> Verdict {
    if let target, !replacing { try requireAbsent(target) }
    let folder = try TemporaryDirectory()
    let logits = try record(model, tokens: tokens, to: target ?? folder.file("logits.safetensors"))
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
  public func record(_ model: LoadedModel, tokens: [Int], to target: String) throws(KistError) -> LogitFile {
    guard model.model.head.hasLogits else {
      throw KistError(
        .unsupported, file: model.path, "has no logits to compare: it is an encoder",
        advice: "compare sentence vectors with --against")
    }
    let folder = try TemporaryDirectory()
    let path = try readable(model.checkpoint, in: folder)
    let list = "[" + tokens.map(String.init).joined(separator: ",") + "]"
    let tokensPath = folder.file("tokens.json")
    let logitsPath = folder.file("logits.f32")
    try folder.write(Array(list.utf8), "tokens.json")
    let result = try run([path, tokensPath, logitsPath])
    let logits = try MappedFile(path: logitsPath)
    guard result.vocabulary > 0, logits.count == 4 * tokens.count * result.vocabulary else {
      throw KistError(.system, file: model.path, "\(result.engine) gave \(logits.count) bytes of logits")
    }
    let values = unsafe logits.pointer(0..<logits.count).numbers(UInt32.self).map { Float(bitPattern: $0) }
    try RecordedLogits(tokens: tokens, values: values, vocabularySize: result.vocabulary, reference: result.engine)
      .write(to: target, replacingExisting: true)
    return try LogitFile(path: target)
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

  private func run(_ arguments: [String]) throws(KistError) -> (engine: String, vocabulary: Int) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, "-c", engine.script] + arguments
    // Nothing of the model is looked for elsewhere.
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "PYTHONWARNINGS": "ignore"]) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw KistError(.system, file: python, "can't be run: \(error.localizedDescription)")
    }
    // Both are read at once: either can fill its pipe.
    let reader = PipeReader(errors)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaint = reader.text()
    process.waitUntilExit()
    switch process.terminationStatus {
    case 0: break
    case 3:
      let module = text.split(separator: "\n").last.map(String.init) ?? engine.rawValue
      throw KistError(
        .missing, file: python, "has no module \(module)",
        advice: "\(engine.installation), or name another Python with --python or KIST_PYTHON")
    case 126, 127:
      throw KistError(.missing, file: python, "no such Python", advice: "name one with --python or KIST_PYTHON")
    default:
      let last = complaint.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) }
      throw KistError(
        .system, file: arguments[0], "\(engine.rawValue) can't compute it: \(last ?? "it gave no reason")")
    }
    let line = Array((text.split(separator: "\n").last ?? "").utf8)
    guard let document = try? unsafe JSONDocument(line.span.bytes), let name = document.root["engine"]?.string,
      let size = document.root["vocabulary"]?.int
    else { throw KistError(.system, file: arguments[0], "\(engine.rawValue) did not say what it computed") }
    return (name, size)
  }
}

/// Reads a pipe to its end beside other work.
private final class PipeReader: @unchecked Sendable {
  private let thread: DispatchGroup
  private var data = Data()

  init(_ pipe: Pipe) {
    thread = DispatchGroup()
    DispatchQueue.global().async(group: thread) { self.data = pipe.fileHandleForReading.readDataToEndOfFile() }
  }

  func text() -> String {
    thread.wait()
    return String(decoding: data, as: UTF8.self)
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
