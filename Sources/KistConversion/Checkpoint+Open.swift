import Foundation
import KistCheckpoints
import KistCore
import KistFormat

extension Checkpoint {
  /// Opens a checkpoint. What it is, its content says, not its suffix.
  ///
  /// - Parameter includingAllFiles: Takes also the files of a folder that are left out by default.
  /// - Throws: `missing` when there is nothing at the path; `unsupported` for a format that this version does not read; `damaged` when the
  ///   content contradicts its format.
  public static func open(path: String, includingAllFiles: Bool = false) throws(KistError) -> Checkpoint {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .fromErrno(file: path, ENOENT)
    }
    if isDirectory.boolValue { return try openFolder(path, includingAllFiles: includingAllFiles) }
    let file = try MappedFile(path: path)
    switch FileKind(of: file) {
    case .kist: return try openContainer(try KistFile(file))
    case .safetensors: return try openSafetensors(try SafetensorsFile(file))
    case .gguf: return try openGGUF(try GGUFSet(file), path: path)
    case .zip: return try openZip(file)
    case .npy: return try openNpy(file)
    case .pickle:
      throw KistError(
        .unsupported, file: path, "is a bare pickle, as PyTorch wrote checkpoints before 1.6: reading it would run it",
        advice: "in Python, torch.save(torch.load(old, weights_only=True), new) writes it anew")
    case .other(let name):
      throw KistError(.unsupported, file: path, "is \(name), which this version does not read")
    case nil where path.hasSuffix(".safetensors"):
      // Too short or too damaged to be told: the reader knows best what is wrong.
      return try openSafetensors(try SafetensorsFile(file))
    case nil:
      throw KistError(
        .invalid, file: path, "is no checkpoint that this version knows",
        advice: "it reads .kist, safetensors, GGUF, PyTorch and NumPy files and Hugging Face folders")
    }
  }

  private static func metadata(of headers: [SafetensorsHeader]) -> Metadata {
    Metadata(headers.flatMap(\.metadata).map { ($0.key, .string($0.value)) })
  }

  // MARK: - safetensors

  private static func openSafetensors(_ file: SafetensorsFile) throws(KistError) -> Checkpoint {
    Checkpoint(
      path: file.path, format: .safetensors, tensors: tensors(of: [file]), assets: [],
      weightFiles: [WeightFile(path: "model.safetensors", source: FileSource(file.mapped, range: file.headerRange))],
      metadata: metadata(of: [file.header]), emptyDirectories: [], leftOut: [], container: nil,
      byteCount: file.byteCount)
  }

  private static func tensors(of files: [SafetensorsFile]) -> [CheckpointTensor] {
    files.enumerated().flatMap { index, file in
      file.header.tensors.map { tensor in
        CheckpointTensor(
          name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
          source: FileSource(file.mapped, range: tensor.range), entry: nil, weightFile: index)
      }
    }
  }

  // MARK: - Folders

  private static func openFolder(_ path: String, includingAllFiles: Bool) throws(KistError) -> Checkpoint {
    let folder = try ModelDirectory(path: path, includingAllFiles: includingAllFiles)
    if folder.weightFormat == .pytorch { return try openFolder(ofPyTorch: folder) }
    let files = try folder.weightFiles.map { name throws(KistError) in
      try SafetensorsFile(path: folder.path(of: name))
    }
    let assets = try folder.assets.map { name throws(KistError) in
      CheckpointAsset(path: name, source: FileSource(try MappedFile(path: folder.path(of: name))), entry: nil)
    }
    let byteCount = files.reduce(0) { $0 + $1.byteCount } + assets.reduce(0) { $0 + $1.byteCount }
    return Checkpoint(
      path: path, format: .huggingFace, tensors: tensors(of: files), assets: assets,
      weightFiles: zip(folder.weightFiles, files).map {
        WeightFile(path: $0, source: FileSource($1.mapped, range: $1.headerRange))
      },
      metadata: metadata(of: files.map(\.header)), emptyDirectories: folder.emptyDirectories,
      leftOut: folder.leftOut.map { LeftOutFile(path: $0.path, reason: $0.reason) }, container: nil,
      byteCount: byteCount)
  }

  // MARK: - Containers

  private static func openContainer(_ file: KistFile) throws(KistError) -> Checkpoint {
    let provenance = try file.recordBytes(RecordName.provenance).map { bytes throws(KistError) in
      do throws(KistError) { return try Provenance(decoding: bytes) } catch { throw error.inFile(file.path) }
    }
    let weightFiles = try (provenance?.weights ?? []).map { name throws(KistError) in
      WeightFile(path: name, source: try header(of: name, in: file))
    }
    // Where there is one file, there is no need to read it.
    let owners = try weightFiles.count > 1 ? ownersOfTensors(weightFiles) : [:]
    let isTraining = file.find(RecordName.training, .record) != nil
    let tensors = file.tensors.map { entry in
      CheckpointTensor(
        name: entry.name, dtype: entry.dtype, shape: entry.shape, source: EntrySource(file, entry), entry: entry,
        weightFile: weightFiles.count == 1 ? 0 : owners[Array(entry.name.utf8)],
        isTrainingState: isTraining && entry.name.utf8.starts(with: TrainingContainer.prefix.utf8))
    }
    let headers = Set(weightFiles.map { Array($0.path.utf8) })
    let assets = file.assets.filter { !headers.contains(Array($0.name.utf8)) }.map { entry in
      CheckpointAsset(path: entry.name, source: EntrySource(file, entry), entry: entry)
    }
    return Checkpoint(
      path: file.path, format: .kist, tensors: tensors, assets: assets, weightFiles: weightFiles,
      metadata: try file.metadata(), emptyDirectories: provenance?.emptyDirectories ?? [], leftOut: [], container: file,
      byteCount: file.byteCount)
  }

  private static func header(of name: String, in file: KistFile) throws(KistError) -> any ByteSource {
    guard let entry = file.find(name, .asset), entry.byteCount <= WeightHeader.maximumByteCount else {
      throw KistError(
        .damaged, file: file.path, field: RecordName.provenance,
        "names the weight file '\(name)', whose header is not there")
    }
    return EntrySource(file, entry)
  }

  /// For each tensor name, which weight file names it.
  private static func ownersOfTensors(_ files: [WeightFile]) throws(KistError) -> [[UInt8]: Int] {
    var owners: [[UInt8]: Int] = [:]
    for (index, file) in files.enumerated() {
      guard let header = WeightHeader(try file.header()) else { continue }
      for name in header.tensorNames { owners[Array(name.utf8)] = index }
    }
    return owners
  }
}

extension Checkpoint {
  /// What a container of this checkpoint says that it came from.
  package var provenanceFormat: Format {
    guard let container, let bytes = try? container.recordBytes(RecordName.provenance) else { return format }
    return (try? Provenance(decoding: bytes))?.source ?? .huggingFace
  }
}
