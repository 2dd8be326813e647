import Foundation
import KistCore
import KistFormat

/// What a conversion may choose.
public struct ConversionOptions: Sendable {
  public var packing: Packing
  /// Globs of the tensors to take; all when empty.
  public var tensors: [String]
  /// How weights are stored.
  public var type: TargetType
  /// Divides what is written into files of at most this length; as in the source when nil.
  public var shardByteCount: Int?
  /// A target of at least so many bytes is kept when the conversion is interrupted, and the same conversion goes on from there.
  public var leastResumedByteCount = 1 << 30
  /// Whether what source and result compute is compared, when values may have changed.
  public var verifies: Bool
  /// Takes also files that are left out of a folder by default.
  public var includesAllFiles: Bool
  public var replacesExisting: Bool
  /// What a container is to say that its model computes.
  public var probes: ProbeSource
  /// The part to do of a conversion that is shared; all of it when nil.
  public var part: PartNumber?
  public var parallelism: Parallelism

  /// Whose logits become a container's probes.
  public enum ProbeSource: Sendable, Equatable {
    case none
    /// Kist's own forward pass of the source.
    case computed
    /// Those that another program recorded in a file.
    case golden(String)
  }

  public init(
    packing: Packing = .auto, tensors: [String] = [], type: TargetType = .keep, shardByteCount: Int? = nil,
    verifies: Bool = true, includesAllFiles: Bool = false, replacesExisting: Bool = false,
    probes: ProbeSource = .computed, part: PartNumber? = nil,
    parallelism: Parallelism = Parallelism()
  ) {
    self.packing = packing
    self.tensors = tensors
    self.type = type
    self.shardByteCount = shardByteCount
    self.verifies = verifies
    self.includesAllFiles = includesAllFiles
    self.replacesExisting = replacesExisting
    self.probes = probes
    self.part = part
    self.parallelism = parallelism
  }
}

/// A conversion that is ready to run: the source was opened and checked, nothing was written.
public struct Conversion: Sendable {
  public let source: Checkpoint
  public internal(set) var target: String
  public let targetFormat: Checkpoint.Format
  public internal(set) var options: ConversionOptions
  /// The tensors that are converted, in order.
  public let tensors: [CheckpointTensor]
  /// Those of them that are written here: all, or a part's.
  let range: Range<Int>
  public var writtenTensors: ArraySlice<CheckpointTensor> { tensors[range] }
  /// What a person should know beforehand.
  public internal(set) var notices: [String] = []
  /// Whether tensors are other than the source's.
  var isRetyped: Bool { tensors.contains { !$0.origins.isEmpty } }
  /// What a source of another format becomes, when the target is a GGUF.
  var ggufModel: GGUFModel?
  /// The target's name when all is done, where it is another one until then.
  var finalTarget: String?
  /// What a part says that it was made of and how, where that is not the source as it is.
  var origin: Origin?
  /// What a GGUF becomes, when the target is a directory.
  var hubContent: HubContent?
  /// Whether all tensors of the source are taken.
  var takesAll: Bool { ggufModel != nil || tensors.count == (hubContent?.tensors ?? source.tensors).count }

  /// What a conversion's source was made of, and the options that this took.
  struct Origin: Sendable {
    var source: Checkpoint
    var options: [SetManifest.Option] = []
  }

  /// What a conversion did.
  public struct Outcome: Sendable {
    /// Bytes of the target.
    public var byteCount: Int
    /// Things that a person should know: files left out, headers written anew.
    public var notices: [String]
    /// Paths of the files, when the target is a set of several.
    public var files: [String] = []
    /// Whether the result computes what the source computes; nil when that was not asked for, or nothing was changed.
    public var verdict: Verdict?
    /// Where the result is, when the verdict failed.
    public var rejectedPath: String?
    /// What is to be taken away when all is done.
    var unfinished: [UnfinishedTarget] = []

    init(byteCount: Int, notices: [String]) {
      self.byteCount = byteCount
      self.notices = notices
    }
  }

  /// Opens a source and settles how it becomes the target.
  ///
  /// - Parameter target: A path; its suffix tells the format: `.kist`, `.safetensors`, `.gguf`, else a folder.
  /// - Throws: what opening throws; `unsupported` for a target that this version does not write; `conflict` when the target exists;
  ///   `system` when the disk has not the space.
  public static func plan(source: String, target: String, options: ConversionOptions) throws(KistError) -> Conversion {
    let format = try targetFormat(target)
    let target = try options.part.map { part throws(KistError) in try part.path(of: target, format) } ?? target
    let opened = try Checkpoint.open(path: source, includingAllFiles: options.includesAllFiles)
    var checkpoint = opened
    if format == .gguf, checkpoint.provenanceFormat != .gguf {
      return try planGGUF(try checkpoint.plain(), target: target, options: options)
    }
    if format == .huggingFace, checkpoint.provenanceFormat == .gguf {
      return try planHub(checkpoint, target: target, options: options)
    }
    // Other dtypes are of numbers, whatever stands for them.
    if options.type != .keep { checkpoint = try checkpoint.plain() }
    // The state of a training goes into containers only.
    let kept = format == .kist ? checkpoint.tensors : checkpoint.tensors.filter { !$0.isTrainingState }
    let taken = try Glob.filter(kept, options.tensors, name: \.name, file: source)
    let retyped = try RetypedTensors(
      taken, as: options.type, file: source, keepsVectors: checkpoint.provenanceFormat == .gguf)
    var conversion = Conversion(
      source: checkpoint, target: target, targetFormat: format, options: options, tensors: retyped.tensors,
      range: options.part?.range(ofItems: retyped.tensors.map(\.byteCount)) ?? retyped.tensors.indices,
      notices: retyped.notices)
    conversion.origin = Origin(source: opened)
    try conversion.checkTarget()
    try conversion.checkShards()
    if format == .gguf { try conversion.checkGGUF() }
    return conversion
  }

  /// Most bytes that the target can take.
  public var neededByteCount: Int {
    let tensorBytes = writtenTensors.reduce(0) { $0 + $1.byteCount + 512 }
    let assetBytes = (hubContent?.assets ?? source.assets).reduce(0) { $0 + $1.byteCount + 512 }
    let chunkRecords = (tensorBytes + assetBytes) >> 20 * ChunkRecord.byteCount
    return tensorBytes + assetBytes + chunkRecords + 65536
  }

  /// Writes the target, and judges it where values may have changed.
  public func run(progress: any ProgressObserver) throws(KistError) -> Outcome {
    var outcome = try isJudged ? runJudged(progress) : write(progress)
    for unfinished in outcome.unfinished {
      unfinished.remove()
      if let notice = unfinished.notice { outcome.notices.append(notice) }
    }
    outcome.notices.insert(contentsOf: source.leftOut.map { "left out \($0.path): \($0.reason)" } + notices, at: 0)
    return outcome
  }

  /// Writes the target.
  func write(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    let total = writtenTensors.reduce(0) { $0 + $1.byteCount }
    progress.begin(targetFormat == .kist ? "Packing" : "Writing", total: total)
    defer { progress.end() }
    var outcome =
      switch targetFormat {
      case .kist where options.shardByteCount != nil: try packShards(progress)
      case .kist: try pack(progress)
      case .safetensors: try exportFile(progress)
      case .gguf: try exportGGUF(progress)
      case .huggingFace: try exportFolder(progress)
      case .pytorch, .npz, .npy: throw KistError(.unsupported, file: target, "is of a format that is only read")
      }
    // What has its name already is not gone on with.
    if finalTarget == nil { for unfinished in outcome.unfinished { unfinished.remove() } }
    if targetFormat == .kist, options.shardByteCount == nil { try recordProbes(&outcome) }
    return outcome
  }

  private static func targetFormat(_ target: String) throws(KistError) -> Checkpoint.Format {
    switch URL(fileURLWithPath: target).pathExtension.lowercased() {
    case "kist": return .kist
    case "safetensors": return .safetensors
    case "gguf": return .gguf
    case let suffix where ["bin", "pt", "pth", "npz", "npy", "onnx", "h5"].contains(suffix):
      throw KistError(
        .unsupported, file: target, "this version does not write .\(suffix) files",
        advice: "write .kist, .safetensors, .gguf, or a folder")
    default: return .huggingFace
    }
  }

  func checkTarget() throws(KistError) {
    let folder = parentFolder(of: target)
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue else {
      throw KistError(.missing, file: folder, "no such folder", advice: "make it first")
    }
    guard
      URL(fileURLWithPath: source.path).resolvingSymlinksInPath()
        != URL(fileURLWithPath: target).resolvingSymlinksInPath()
    else { throw KistError(.conflict, file: target, "is the source itself") }
    let contents = try? FileManager.default.contentsOfDirectory(atPath: target)
    if !options.replacesExisting, contents != [] || targetFormat != .huggingFace { try requireAbsent(target) }
    let values = try? URL(fileURLWithPath: folder).resourceValues(forKeys: [.volumeAvailableCapacityKey])
    if let free = values?.volumeAvailableCapacity, free > 0, free < minimumByteCount {
      throw KistError(
        .system, file: target, "needs at least \(minimumByteCount) bytes, and the disk has \(free) free",
        advice: "free some space, or write elsewhere")
    }
  }

  /// Fewest bytes that the target will take, for refusing before the work rather than after it.
  private var minimumByteCount: Int {
    let raw = writtenTensors.reduce(0) { $0 + $1.byteCount }
    return targetFormat == .kist && options.packing != .none ? raw / 4 : raw
  }
}
