import KistCore
import KistQuantization

/// The tensors of a checkpoint that another program quantized, by the name of the layer that they belong to.
struct QuantizedLayers {
  let file: String
  private let tensors: [String: CheckpointTensor]

  init(_ checkpoint: Checkpoint) {
    file = checkpoint.path
    tensors = Dictionary(checkpoint.tensors.map { ($0.name, $0) }) { first, _ in first }
  }

  func find(_ name: String) -> CheckpointTensor? { tensors[name] }

  /// - Throws: `damaged` when there is no such tensor, or it has another dtype.
  func tensor(_ name: String, _ dtype: DType? = nil) throws(KistError) -> CheckpointTensor {
    guard let tensor = tensors[name] else {
      throw KistError(.damaged, file: file, field: "tensor '\(name)'", "is missing, but the quantization asks for it")
    }
    guard dtype == nil || tensor.dtype == dtype else {
      throw wrong(name, "is \(tensor.dtype?.name ?? "unknown"), not \(dtype?.name ?? "")")
    }
    return tensor
  }

  /// All numbers of a tensor of at most 1 GiB as f32: scales and the like.
  func numbers(_ name: String) throws(KistError) -> [Float] {
    let stored = try StoredElements(try tensor(name), file: file)
    guard stored.elementCount <= 1 << 28 else { throw wrong(name, "has too many numbers for scales") }
    var numbers = [Float](repeating: 0, count: stored.elementCount)
    let result = unsafe numbers.withUnsafeMutableBufferPointer { buffer in
      Result { () throws(KistError) in
        if let base = buffer.baseAddress { unsafe try stored.read(0..<buffer.count, into: base) }
      }
    }
    try result.get()
    return numbers
  }

  /// The two dimensions of a matrix.
  func matrix(_ tensor: CheckpointTensor) throws(KistError) -> (rows: Int, columns: Int) {
    let dimensions = tensor.shape.dimensions
    guard dimensions.count == 2, dimensions[0] > 0, dimensions[1] > 0 else { throw wrong(tensor.name, "is no matrix") }
    return (dimensions[0], dimensions[1])
  }

  func wrong(_ name: String, _ problem: String) -> KistError {
    KistError(.damaged, file: file, field: "tensor '\(name)'", problem)
  }

  /// Throws unless a tensor of I32 has so many words.
  func checkWords(_ tensor: CheckpointTensor, _ count: Int?) throws(KistError) {
    guard let count, tensor.dtype == .i32, tensor.byteCount == 4 * count else {
      throw wrong(tensor.name, "has not the packed integers that the layer's shape asks for")
    }
  }
}
