import KistCheckpoints
import KistCore
import KistFormat

extension Checkpoint {
  /// Opens a zip archive, which its entries tell to be PyTorch's or NumPy's.
  static func openZip(_ file: MappedFile) throws(KistError) -> Checkpoint {
    let archive = try ZipArchive(file)
    if PyTorchFile.isPyTorch(archive) { return openPyTorch(try PyTorchFile(archive)) }
    if NpzFile.isNpz(archive) { return try openNpz(archive) }
    throw KistError(
      .unsupported, file: file.path,
      "is a zip archive, but neither a PyTorch checkpoint (no data.pkl) nor npz (no .npy)")
  }

  private static func openPyTorch(_ file: PyTorchFile) -> Checkpoint {
    Checkpoint(
      path: file.path, format: .pytorch, tensors: tensors(of: file), assets: [], weightFiles: [],
      metadata: metadata(of: [file]), emptyDirectories: [],
      leftOut: file.others.map { LeftOutFile(path: $0.name, reason: $0.what) }, container: nil,
      byteCount: file.byteCount, archives: [file.archive])
  }

  /// Opens a folder whose weights PyTorch wrote.
  static func openFolder(ofPyTorch folder: ModelDirectory) throws(KistError) -> Checkpoint {
    let files = try folder.weightFiles.map { name throws(KistError) in try PyTorchFile(path: folder.path(of: name)) }
    let assets = try folder.assets.map { name throws(KistError) in
      CheckpointAsset(path: name, source: FileSource(try MappedFile(path: folder.path(of: name))), entry: nil)
    }
    let others = zip(folder.weightFiles, files).flatMap { name, file in
      file.others.map { LeftOutFile(path: "\(name): \($0.name)", reason: $0.what) }
    }
    return Checkpoint(
      path: folder.path, format: .huggingFace, tensors: files.flatMap(tensors), assets: assets, weightFiles: [],
      metadata: metadata(of: files), emptyDirectories: folder.emptyDirectories,
      leftOut: folder.leftOut.map { LeftOutFile(path: $0.path, reason: $0.reason) } + others, container: nil,
      byteCount: files.reduce(0) { $0 + $1.byteCount } + assets.reduce(0) { $0 + $1.byteCount },
      archives: files.map(\.archive))
  }

  private static func tensors(of file: PyTorchFile) -> [CheckpointTensor] {
    file.tensors.map {
      CheckpointTensor(
        name: $0.name, dtype: $0.dtype, shape: $0.shape, source: $0.source, entry: nil, weightFile: nil)
    }
  }

  /// The values beside the tensors; and what transformers looks for in a safetensors file before it loads one.
  private static func metadata(of files: [PyTorchFile]) -> Metadata {
    var metadata = Metadata()
    for item in files.flatMap(\.values) where metadata[item.name] == nil {
      metadata[item.name] =
        switch item.value {
        case .bool(let flag): .bool(flag)
        case .int(let number): .integer(String(number), type: "i64")
        case .float(let number): .float(number, type: "f64")
        case .text(let text): .string(text)
        }
    }
    if metadata["format"] == nil { metadata["format"] = .string("pt") }
    return metadata
  }
}
