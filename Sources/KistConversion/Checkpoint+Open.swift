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
    if !MappedFile.isAddress(path) {
      var isDirectory: ObjCBool = false
      guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        throw .fromErrno(file: path, ENOENT)
      }
      if isDirectory.boolValue { return try openFolder(path, includingAllFiles: includingAllFiles) }
    }
    let file = try MappedFile(path: path)
    do throws(KistError) { return try open(file) } catch {
      // What could not be fetched reads as zeros: why, is the better answer.
      try file.checkIntact()
      throw error
    }
  }

  private static func open(_ file: MappedFile) throws(KistError) -> Checkpoint {
    let path = file.path
    switch FileKind(of: file) {
    case .kist: return try openContainers(try SetFiles.around(try KistFile(file)), path: path)
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
    if let files = try SetFiles.inFolder(path) { return try openContainers(files, path: path) }
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
}
