import KistArchitectures
import KistCheckpoints
import KistConversion
import KistCore

/// The tensors of a fixture, as a conversion sees them.
func checkpointTensors(_ name: String) throws -> [CheckpointTensor] {
  try Checkpoint.open(path: "\(FamilyFixtures.folder)/\(name)").tensors
}

/// All bytes of a tensor, read a few at a time: where a part begins or ends does not matter.
func content(_ tensor: CheckpointTensor, pieceByteCount: Int) throws -> [UInt8] {
  var bytes: [UInt8] = []
  for start in stride(from: 0, to: tensor.byteCount, by: pieceByteCount) {
    let range = start..<min(start + pieceByteCount, tensor.byteCount)
    try unsafe tensor.source.withBytes(range) { unsafe bytes.append(contentsOf: $0) }
    tensor.source.release(range)
  }
  return bytes
}

/// Numbers of another form of a model as a tensor in memory.
func stored(_ tensor: CheckpointTensor) throws -> CheckpointTensor {
  var copy = tensor
  copy.source = MemorySource(try content(tensor, pieceByteCount: 1 << 20))
  return copy
}

extension ModelDescription {
  /// Names that a checkpoint may have for a tensor.
  func names(of tensor: FileTensor) -> [String] {
    tensor.keys.flatMap { locations(of: $0) }.first { $0.names.first == tensor.name }?.names ?? []
  }
}

extension RearrangedTensor {
  /// Whether all numbers are the same.
  func isSame(as other: RearrangedTensor) throws -> Bool {
    let both = try [self, other].map { tensor in
      var values = [Float](repeating: 0, count: tensor.elementCount)
      try unsafe values.withUnsafeMutableBufferPointer { buffer in
        if let base = buffer.baseAddress { try unsafe tensor.read(0..<tensor.elementCount, into: base) }
      }
      return values
    }
    return both[0] == both[1]
  }
}
