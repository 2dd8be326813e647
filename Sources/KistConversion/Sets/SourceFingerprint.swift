import KistCheckpoints
import KistCore
import KistFormat

/// Tells one source from another without reading all of it: headers, names and sizes of everything, a small sample of the values, and the
/// checksums where the format has some.
struct SourceFingerprint {
  let digest: Digest

  /// Tensors that a sample is taken of, and its length: two checkpoints of one training run have the same headers.
  private static let sampledTensorCount = 256
  private static let sampleByteCount = 4096

  init(of source: Checkpoint) throws(KistError) {
    var writer = ByteWriter()
    func add(_ text: String) {
      writer.u32(UInt32(text.utf8.count))
      writer.raw(text.utf8)
    }
    add(source.format.rawValue)
    for container in source.containers { writer.digest(container.packageDigest) }
    for tensor in source.tensors {
      add(tensor.name)
      add(tensor.dtype?.name ?? "unknown")
      writer.u32(UInt32(tensor.shape.rank))
      for dimension in tensor.shape.dimensions { writer.u64(dimension) }
    }
    for file in source.weightFiles {
      add(file.path)
      writer.digest(Digest(hashing: try file.header()))
    }
    for asset in source.assets {
      add(asset.path)
      writer.u64(asset.byteCount)
    }
    for directory in source.emptyDirectories { add(directory) }
    for entry in source.archives.flatMap(\.entries) {
      writer.u64(entry.byteCount)
      writer.u32(entry.crc32 ?? 0)
    }
    // Archives have checksums, and reading in the middle of one can mean unpacking it.
    if source.archives.isEmpty, source.containers.isEmpty { try Self.addSamples(of: source.tensors, to: &writer) }
    digest = Digest(hashing: writer.bytes)
  }

  private static func addSamples(of tensors: [CheckpointTensor], to writer: inout ByteWriter) throws(KistError) {
    let step = max(1, tensors.count / sampledTensorCount)
    for index in stride(from: 0, to: tensors.count, by: step) {
      let source = tensors[index].source
      let range = 0..<min(sampleByteCount, source.byteCount)
      guard !range.isEmpty else { continue }
      var sample: [UInt8] = []
      unsafe try source.withBytes(range) { bytes throws(KistError) in unsafe sample.append(contentsOf: bytes) }
      writer.raw(sample)
    }
  }
}
