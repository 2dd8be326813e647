import KistCheckpoints
import KistCore
import KistFormat
import KistQuantization

/// What a quantized model says about itself, as llama-quantize writes it.
///
/// - Source: llama.cpp's src/llama-quant.cpp and tools/quantize/quantize.cpp.
struct QuantizationKeys {
  /// `GGML_QNT_VERSION`.
  private static let version: UInt32 = 2
  /// Longer texts are cut.
  private static let mostTextBytes = 127

  /// Keys of a GGUF, in llama-quantize's order.
  private(set) var gguf: [(key: String, value: GGUFValue)] = []
  /// Metadata of other files.
  private(set) var described: [(key: String, value: Metadata.Value)]

  init(_ scheme: QuantizationScheme, name: String, _ importance: NamedImportance?) {
    gguf.append(("general.quantization_version", .uint32(Self.version)))
    // A mixture that llama.cpp has no number for is any.
    gguf.append(("general.file_type", .uint32(scheme.fileType ?? 0)))
    described = [("quantize.type", .string(name))]
    guard let (path, matrix) = importance else { return }
    func text(_ value: String) -> GGUFValue { .string(Array(value.utf8.prefix(Self.mostTextBytes))) }
    var keys: [(key: String, value: GGUFValue)] = [("quantize.imatrix.file", text(path))]
    if let dataset = matrix.datasets.first { keys.append(("quantize.imatrix.dataset", text(dataset))) }
    keys.append(("quantize.imatrix.entries_count", .uint32(UInt32(clamping: matrix.entries.count))))
    if matrix.chunkCount > 0 {
      keys.append(("quantize.imatrix.chunks_count", .uint32(UInt32(clamping: matrix.chunkCount))))
    }
    gguf += keys
    described += keys.map { ($0.key, Metadata.Value($0.value)) }
  }
}

extension Checkpoint {
  /// The header of the GGUF that these tensors make up, in this order: keys as they were, and those given at the end.
  func quantizedHeader(
    of tensors: [CheckpointTensor], _ keys: [(key: String, value: GGUFValue)]
  ) throws(KistError) -> WeightFile {
    let headers = try weightFiles.map { file throws(KistError) in
      do throws(KistError) { return try GGUFFile(detached: try file.header()) } catch {
        throw KistError(.damaged, file: path, field: "asset '\(file.path)'", "\(error)")
      }
    }
    let rewriting = GGUFRewriting(
      headers: headers, metadata: metadata, original: try Checkpoint.metadata(of: weightFiles), tensors: tensors,
      renewed: keys, keepsOrder: true)
    do throws(KistError) {
      let layouts = try rewriting.merged(shardByteCount: nil)
      return WeightFile(path: "model.gguf", source: MemorySource(layouts[0].bytesOutsideTensors))
    } catch { throw error.inFile(path) }
  }
}

extension WeightLayout {
  /// What a container keeps of the file: the header, and what is between and after the tensors.
  fileprivate var bytesOutsideTensors: [UInt8] {
    var bytes = header
    var end = header.count
    for piece in pieces where piece.tensor.byteCount > 0 {
      bytes += [UInt8](repeating: 0, count: piece.offset - end)
      end = piece.offset + piece.tensor.byteCount
    }
    return bytes + [UInt8](repeating: 0, count: byteCount - end)
  }
}
