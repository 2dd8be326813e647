import KistArchitectures
import KistCore

extension Checkpoint {
  /// The same model with the tensors that another checkpoint has, as F32 made when they are read, where one is a GGUF and the other is
  /// not; nil where names are of the same kind, or nothing says which tensor is which.
  func rearranged(like other: Checkpoint) throws(KistError) -> Checkpoint? {
    guard (provenanceFormat == .gguf) != (other.provenanceFormat == .gguf),
      let own = try? LoadedModel.description(of: self), let wanted = try? LoadedModel.description(of: other)
    else { return nil }
    let rearrangement = ModelRearrangement(of: tensors, from: own, to: wanted, file: path)
    let names = NamedTensors(other.tensors)
    var tensors: [CheckpointTensor] = []
    for tensor in wanted.fileTensors where names[tensor.name] != nil {
      tensors.append(try rearrangement.tensor(tensor, as: .f32))
    }
    return Checkpoint(
      path: path, format: other.provenanceFormat, tensors: tensors, assets: [], weightFiles: [], metadata: metadata,
      emptyDirectories: [], leftOut: [], container: nil, byteCount: byteCount)
  }
}
