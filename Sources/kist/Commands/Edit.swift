import ArgumentParser
import Foundation
import KistCheckpoints
import KistConversion
import KistCore
import KistFormat

struct Edit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Change a container in place: only what changed is written.",
    usage: """
      kist edit <file> set <key=value> ...
      kist edit <file> unset <key> ...
      kist edit <file> put <path> [--as <name>]
      kist edit <file> put-tensor <name> <file.npy>
      kist edit <file> rm <name> ... [--kind <kind>]
      """,
    discussion: """
      set gives keys of the metadata a value. An existing key keeps its type, a new one is a string; key:type=value \
      says another, of string, bool, u8 to i64, f32 and f64. unset takes keys out.

      put stores a file under its own name, or another (--as); - is standard input. put-tensor stores a NumPy array; \
      a tensor that it replaces keeps its dtype if that can hold every value exactly. rm takes tensors or files out.

      A crash at any moment leaves the file as it was before or after. Signatures are dropped, being of the content \
      before. What was replaced stays in the file until `kist compact`.

      EXAMPLES
        kist edit minilm.kist set license=apache-2.0 'max_length:u32=512'
        kist edit minilm.kist put README.md
        kist edit minilm.kist put-tensor pooler.dense.bias new-bias.npy
        kist edit minilm.kist rm pooler.dense.weight pooler.dense.bias
      """)

  enum Action: String, ExpressibleByArgument, CaseIterable {
    case set
    case unset
    case put
    case putTensor = "put-tensor"
    case rm
  }

  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case tensor
    case asset
  }

  @Argument(help: "A .kist file.", completion: .file())
  var file: String

  @Argument(help: "What to do: set, unset, put, put-tensor or rm.")
  var action: Action

  @Argument(help: "With what.", completion: .file())
  var operands: [String] = []

  @Option(name: .customLong("as"), help: ArgumentHelp("The name under which put stores the file.", valueName: "name"))
  var assetName: String?

  @Option(help: "What rm takes out, where a tensor and a file have one name: tensor or asset.")
  var kind: Kind?

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    switch action {
    case .set, .unset, .rm:
      guard !operands.isEmpty else {
        throw ValidationError("\(action.rawValue) needs at least one \(action == .rm ? "name" : "key").")
      }
    case .put:
      guard operands.count == 1 else { throw ValidationError("put needs one path.") }
      guard operands[0] != "-" || assetName != nil else { throw ValidationError("put - needs --as, for the name.") }
    case .putTensor:
      guard operands.count == 2 else { throw ValidationError("put-tensor needs a name and a .npy file.") }
    }
    guard assetName == nil || action == .put else { throw ValidationError("--as goes with put.") }
    guard kind == nil || action == .rm else { throw ValidationError("--kind goes with rm.") }
  }

  func run() throws {
    let edit = try ContainerEdit(
      path: file, options: WriterOptions(parallelism: global.parallelism, progress: global.progress))
    switch action {
    case .set: for assignment in operands { try edit.set(assignment) }
    case .unset: for key in operands { try edit.unset(key) }
    case .put: try put(operands[0], edit)
    case .putTensor: try putTensor(operands[0], operands[1], edit)
    case .rm: for name in operands { try edit.remove(name, kind: kind.map { $0 == .tensor ? .tensor : .asset }) }
    }
    try report(try edit.commit())
  }

  private func put(_ path: String, _ edit: ContainerEdit) throws {
    let source: any ByteSource =
      path == "-"
      ? MemorySource([UInt8](FileHandle.standardInput.readDataToEndOfFile())) : FileSource(try MappedFile(path: path))
    try edit.putAsset(assetName ?? URL(fileURLWithPath: path).lastPathComponent, source)
  }

  private func putTensor(_ name: String, _ path: String, _ edit: ContainerEdit) throws {
    let array = try NpyFile(path: path)
    let old = edit.dtype(ofTensor: name)
    let stored = try edit.putTensor(name, array)
    if let old, old != stored {
      global.notice("'\(name)' was \(old) and is \(stored) now: \(old) does not hold all the values exactly")
    } else if stored != array.dtype {
      global.notice("'\(name)' stays \(stored): it holds all values of the \(array.dtype) array exactly")
    }
  }

  private func report(_ outcome: KistEditor.Outcome) throws {
    if !outcome.droppedSignatures.isEmpty {
      let keys = outcome.droppedSignatures.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
      global.notice(
        "dropped the signature of \(keys.joined(separator: ", ")), which was of the content before; sign again")
    }
    if global.json {
      try Output.json(
        Result(
          path: file, writtenByteCount: outcome.writtenByteCount, generation: outcome.generation,
          droppedSignatures: outcome.droppedSignatures))
    } else {
      Output.line(
        "\(file.escapedForTerminal): wrote \(Quantity.count(outcome.writtenByteCount)) bytes, "
          + "generation \(outcome.generation)"
      )
    }
  }

  private struct Result: Encodable {
    var path: String
    var writtenByteCount: Int
    var generation: UInt64
    var droppedSignatures: [String]

    enum CodingKeys: String, CodingKey {
      case path, generation
      case writtenByteCount = "written_bytes"
      case droppedSignatures = "dropped_signatures"
    }
  }
}
