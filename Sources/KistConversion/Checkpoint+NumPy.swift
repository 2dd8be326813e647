import KistCheckpoints
import KistCore
import KistFormat

extension Checkpoint {
  static func openNpz(_ archive: ZipArchive) throws(KistError) -> Checkpoint {
    let file = try NpzFile(archive)
    let tensors = file.arrays.map {
      CheckpointTensor(
        name: $0.name, dtype: $0.dtype, shape: $0.shape, source: $0.source, entry: nil, weightFile: nil)
    }
    return Checkpoint(
      path: archive.path, format: .npz, tensors: tensors, assets: [], weightFiles: [], metadata: Metadata(),
      emptyDirectories: [], leftOut: file.others.map { LeftOutFile(path: $0, reason: "not an array (.npy)") },
      container: nil, byteCount: archive.file.count, archives: [archive])
  }

  /// One array, which has no name of its own: the file's is not part of the content.
  static func openNpy(_ file: MappedFile) throws(KistError) -> Checkpoint {
    let array = try NpyFile(file)
    let tensor = CheckpointTensor(
      name: "array", dtype: array.dtype, shape: array.shape, source: array.source, entry: nil, weightFile: nil)
    return Checkpoint(
      path: file.path, format: .npy, tensors: [tensor], assets: [], weightFiles: [], metadata: Metadata(),
      emptyDirectories: [], leftOut: [], container: nil, byteCount: file.count)
  }
}
