import KistCheckpoints
import KistCore
import KistFormat

extension Checkpoint {
  /// The model as llama.cpp's converter would write it, made when it is read; itself when it is a GGUF.
  ///
  /// - Throws: `unsupported` for what can't be a GGUF.
  func asGGUF(target: String) throws(KistError) -> Checkpoint {
    guard provenanceFormat != .gguf else { return self }
    // Numbers of 32 bits are not rounded on their way.
    let (wide, all) = tensors.reduce((0, 0)) { sums, tensor in
      (sums.0 + (tensor.dtype == .f32 ? tensor.elementCount : 0), sums.1 + tensor.elementCount)
    }
    let model = try GGUFModel(self, as: 2 * wide > all ? .float(.f32) : .keep, target: target)
    let header = WeightFile(path: "model.gguf", source: MemorySource(try model.writer.layOut().bytesOutsideTensors))
    let made = model.tensors.map { tensor in
      var tensor = tensor
      tensor.weightFile = 0
      return tensor
    }
    return Checkpoint(
      path: path, format: .gguf, tensors: made, assets: [], weightFiles: [header],
      metadata: try Checkpoint.metadata(of: [header]), emptyDirectories: [], leftOut: leftOut, container: nil,
      byteCount: byteCount)
  }
}

extension GGUFWriter.Layout {
  /// What a container keeps of the file: the header, and what is between and after the tensors.
  var bytesOutsideTensors: [UInt8] {
    var bytes = header
    var end = header.count
    for range in ranges where !range.isEmpty {
      bytes += [UInt8](repeating: 0, count: range.lowerBound - end)
      end = range.upperBound
    }
    return bytes + [UInt8](repeating: 0, count: fileByteCount - end)
  }
}
