import KistCheckpoints
import KistCore
import KistFormat

extension Checkpoint {
  /// A model in one GGUF or several.
  static func openGGUF(_ set: GGUFSet, path: String) throws(KistError) -> Checkpoint {
    var tensors: [CheckpointTensor] = []
    var weightFiles: [WeightFile] = []
    var items: [(key: String, value: Metadata.Value)] = []
    for (index, file) in set.files.enumerated() {
      guard let mapped = file.mapped else { continue }
      tensors += file.header.tensors.map { tensor in
        CheckpointTensor(
          name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
          source: FileSource(mapped, range: tensor.range), entry: nil, weightFile: index)
      }
      // What the file was called outside is not part of it.
      let name = set.files.count > 1 ? GGUFSplitName.path("model", index, of: set.files.count) : "model.gguf"
      weightFiles.append(WeightFile(path: name, source: ScatteredSource(mapped, ranges: file.outsideRanges)))
      do throws(KistError) { items += try file.metadataItems() } catch { throw error.inFile(mapped.path) }
    }
    return Checkpoint(
      path: path, format: .gguf, tensors: tensors, assets: [], weightFiles: weightFiles, metadata: Metadata(items),
      emptyDirectories: [], leftOut: [], container: nil, byteCount: set.files.reduce(0) { $0 + $1.byteCount })
  }
}
