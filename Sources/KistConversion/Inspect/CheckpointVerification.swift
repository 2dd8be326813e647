import KistCore
import KistFormat
import KistTokenizers

/// What `kist verify` found: what `kist verify --json` prints. docs/json.md describes every field.
public struct CheckpointVerification: Sendable, Codable, Equatable {
  /// The version of this schema.
  public var schema = 1
  public var path: String
  /// Absent when the file is too damaged to tell.
  public var format: String?
  /// `quick`, `full`; of formats without digests `structure`, or `crc32` where zip has that.
  public var level: String
  /// Whether nothing is wrong. A signature that does not fit is wrong; one that is not there is not.
  public var isSound: Bool
  public var chunkCount = 0
  public var storedByteCount = 0
  public var rawByteCount = 0
  public var seconds = 0.0
  public var problems: [Problem] = []
  public var signatures: [SignatureRow] = []
  /// With `--key`: whether that key has signed this content.
  public var isSignedByKey: Bool?
  /// What the model computes on the probes, against what was recorded; absent when that was not checked.
  public var verdict: Verdict?
  public var notes: [String] = []

  enum CodingKeys: String, CodingKey {
    case schema, path, format, level, seconds, problems, signatures, verdict, notes
    case isSound = "sound"
    case chunkCount = "chunks"
    case storedByteCount = "stored_bytes"
    case rawByteCount = "raw_bytes"
    case isSignedByKey = "signed_by_key"
  }

  /// Something that is wrong, with what it is wrong with.
  public struct Problem: Sendable, Codable, Equatable {
    /// `tensor`, `asset` or `record`; absent when it is the file as a whole.
    public var kind: String?
    public var name: String?
    public var problem: String

    init(kind: String?, name: String?, problem: String) {
      self.kind = kind
      self.name = name
      self.problem = problem
    }

    init(_ problem: VerificationProblem) {
      kind = problem.kind.map { "\($0)" }
      name = problem.entry
      // The name need not be said twice.
      self.problem =
        problem.entry.map { problem.problem.replacing(" of '\($0)'", with: "", maxReplacements: 1) } ?? problem.problem
    }
  }

  /// Checks a container against itself, or the structure of files without checksums.
  ///
  /// - Parameter key: One that must have signed the content.
  /// - Throws: when checking was not possible; damage is reported, not thrown.
  public init(
    path: String, level: VerificationLevel, key: VerifyingKey?, parallelism: Parallelism,
    progress: any ProgressObserver = NoProgress()
  ) throws(KistError) {
    self.path = path
    self.level = level.rawValue
    isSound = true
    let clock = ContinuousClock()
    let start = clock.now
    do throws(KistError) {
      let checkpoint = try Checkpoint.open(path: path)
      format = checkpoint.format.rawValue
      if let container = checkpoint.container {
        try check(checkpoint, level, key, parallelism, progress)
        if level == .full { checkTokenizer(checkpoint, container) }
      } else {
        try checkStructure(checkpoint, key)
        if level == .full, !checkpoint.archives.isEmpty {
          try checkArchives(checkpoint.archives, parallelism, progress)
        }
      }
    } catch {
      guard error.kind == .damaged else { throw error }
      problems.append(Problem(kind: nil, name: nil, problem: CheckpointVerification.words(error, path)))
    }
    seconds = (clock.now - start) / .seconds(1)
    isSound = problems.isEmpty && isSignedByKey != false
  }

  private mutating func check(
    _ checkpoint: Checkpoint, _ level: VerificationLevel, _ key: VerifyingKey?, _ parallelism: Parallelism,
    _ progress: any ProgressObserver
  ) throws(KistError) {
    for container in checkpoint.containers {
      let report = try container.verify(level, parallelism: parallelism, progress: progress)
      chunkCount += report.chunkCount
      storedByteCount += report.storedByteCount
      rawByteCount += report.rawByteCount
      problems += report.problems.map { found in
        var problem = Problem(found)
        if problem.name == nil, checkpoint.containers.count > 1 { problem.problem += " (\(container.path))" }
        return problem
      }
    }
    // What is wrong with the signatures of one file, the report says already.
    let found = (try? checkpoint.signatures()) ?? []
    signatures = found.map(SignatureRow.init)
    if checkpoint.containers.count > 1 {
      problems += found.filter { !$0.isValid }.map {
        Problem(
          kind: nil, name: nil, problem: "the signature by key \($0.key.fingerprint) is not of this set's content")
      }
    }
    if let key { isSignedByKey = found.contains { $0.isValid && $0.key.isSame(as: key) } }
  }

  /// Builds the compiled tokenizer again from its files, and compares.
  private mutating func checkTokenizer(_ checkpoint: Checkpoint, _ container: KistFile) {
    // Content that is damaged was reported already.
    guard let entry = container.find(RecordName.tokenizer, .record), problems.isEmpty else { return }
    guard (try? Tokenizer.knowsRecord(of: container)) ?? true else {
      notes.append("the compiled tokenizer is of another version's layout: it was not compared with its files")
      return
    }
    let problem: String
    switch CompiledTokenizer.compile(checkpoint.tokenizerFiles) {
    case .compiled(let record) where Digest(ofContent: record) == entry.digest: return
    case .compiled: problem = "is not what the tokenizer's files compile to"
    case .none: problem = "there are no files that it could be compiled from"
    case .failed(let error): problem = "its files can't be compiled: \(error)"
    }
    problems.append(Problem(kind: "record", name: RecordName.tokenizer, problem: problem))
  }

  private mutating func checkStructure(_ checkpoint: Checkpoint, _ key: VerifyingKey?) throws(KistError) {
    guard key == nil else {
      throw KistError(
        .invalid, file: path, "carries no signatures: only .kist files do", advice: "convert it, and sign that")
    }
    level = "structure"
    rawByteCount = checkpoint.tensors.reduce(0) { $0 + $1.byteCount }
    storedByteCount = rawByteCount
    if checkpoint.archives.isEmpty {
      let names: [Checkpoint.Format: String] = [.gguf: "GGUF", .npy: ".npy"]
      notes.append(
        "\(names[checkpoint.format] ?? "safetensors") has no checksums: headers, names, shapes and offsets are right, "
          + "and the values can't be checked")
    }
    for file in checkpoint.leftOut { notes.append("left out \(file.path): \(file.reason)") }
  }

  /// The error without the path that the report names anyway.
  static func words(_ error: KistError, _ path: String) -> String {
    var error = error
    if error.file == path { error.file = nil }
    return error.description
  }
}
