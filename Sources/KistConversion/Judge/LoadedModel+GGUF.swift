import KistArchitectures
import KistCore
import KistFormat
import KistQuantization

extension LoadedModel {
  /// What a GGUF's metadata and tensors describe.
  static func descriptionOfGGUF(_ checkpoint: Checkpoint) throws(KistError) -> ModelDescription {
    let tensors = Dictionary(checkpoint.tensors.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    let metadata = checkpoint.metadata
    let source = try GGUFSource(
      file: checkpoint.path,
      metadata: { key throws(KistError) in metadata[key].flatMap(ParameterValue.init) },
      shape: { name in tensors[Array(name.utf8)]?.shape.dimensions },
      values: { name throws(KistError) in try tensors[Array(name.utf8)]?.smallValues(at: checkpoint.path) ?? [] })
    return try ModelDescription(source, file: checkpoint.path)
  }
}

extension ParameterValue {
  /// A value of metadata; nil for lists, which no parameter of a GGUF is.
  init?(_ value: Metadata.Value) {
    switch value {
    case .bool(let flag): self = .flag(flag)
    case .string(let text): self = .text(text)
    case .integer(let digits, _):
      guard let number = Int(digits) else { return nil }
      self = .integer(number)
    case .float(let number, _): self = .number(number)
    case .list: return nil
    }
  }
}

extension CheckpointTensor {
  /// All numbers of a tensor of at most 1 MiB.
  fileprivate func smallValues(at path: String) throws(KistError) -> [Float] {
    guard let dtype, let decoder = RowDecoder(dtype), let count = shape.elementCount, byteCount <= 1 << 20,
      dtype.byteCount(ofElements: count) == byteCount
    else { throw KistError(.damaged, file: path, field: "tensor '\(name)'", "is no short list of numbers") }
    var values = [Float](repeating: 0, count: count)
    unsafe try source.withBytes(0..<byteCount) { bytes throws(KistError) in
      guard let base = bytes.baseAddress else { return }
      unsafe values.withUnsafeMutableBufferPointer { buffer in
        if let output = buffer.baseAddress { unsafe decoder.decode(base, count: count, into: output) }
      }
    }
    return values
  }
}
