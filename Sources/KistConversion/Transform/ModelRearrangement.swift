import KistArchitectures
import KistCore
import KistQuantization

/// Makes the tensors of one form of a model out of those of another: GGUF's out of Hugging Face's, and the other way round.
///
/// Both forms are descriptions of the same model. What a tensor of the forward pass is in each, its locations say: a number of the sink
/// is that number of the source that the forward pass takes for the same.
package struct ModelRearrangement: Sendable {
  package let source: ModelDescription
  package let sink: ModelDescription
  private let tensors: NamedTensors
  private let file: String

  /// - Parameters:
  ///   - tensors: those of the source.
  ///   - file: the source, for errors.
  package init(
    of tensors: [CheckpointTensor], from source: ModelDescription, to sink: ModelDescription, file: String
  ) {
    self.source = source
    self.sink = sink
    self.tensors = NamedTensors(tensors)
    self.file = file
  }

  /// A tensor of the sink with its numbers in a dtype: bytes of the source where they are the same.
  ///
  /// - Parameter importance: see ``CheckpointTensor/encoded(as:importance:file:)``.
  /// - Throws: what ``rearranged(_:)`` throws; `unsupported` for a dtype that weights are not written in, or whose blocks do not go
  ///   with the rows.
  package func tensor(
    _ tensor: FileTensor, as dtype: DType, importance: [Float]? = nil
  ) throws(KistError) -> CheckpointTensor {
    try encoded(try rearranged(tensor), as: dtype, name: tensor.name, importance: importance)
  }

  func encoded(
    _ numbers: RearrangedTensor, as dtype: DType, name: String, importance: [Float]? = nil
  ) throws(KistError) -> CheckpointTensor {
    try numbers.encoded(as: dtype, name: name, importance: importance, file: file)
  }

  /// A tensor of the sink, whose numbers are found when they are read.
  ///
  /// Numbers that the source does not have are 0: rows before the first position. Of a tensor of MXFP4 blocks that lie in two tensors
  /// of their own (``TensorLocation/Encoding/mxfp4(scales:shape:)``) it has the numbers.
  ///
  /// - Throws: `damaged` when the source has not a tensor of that shape; `unsupported` when its family has none.
  package func rearranged(_ tensor: FileTensor) throws(KistError) -> RearrangedTensor {
    var parts: [CheckpointTensor] = []
    var places: [String: Int] = [:]
    var rectangles: [ElementMap.Rectangle] = []
    var shape = tensor.shape
    for key in tensor.keys {
      let locations = source.locations(of: key)
      guard !locations.isEmpty else {
        throw KistError(
          .unsupported, file: file, field: "tensor '\(tensor.name)'",
          "\(source.architecture.name) checkpoints have no \(key), which it is made of")
      }
      var from: [Strip] = []
      for location in locations {
        let name = try name(of: location)
        let place = places[name] ?? parts.count
        if place == parts.count {
          parts.append(try part(name, location))
          places[name] = place
        }
        from += location.strips(tensor: place)
      }
      var to: [Strip] = []
      for location in sink.locations(of: key) {
        let isHere = location.names.first == tensor.name
        to += location.strips(tensor: isHere ? 0 : nil)
        if isHere, case .mxfp4(_, let blocks) = location.encoding { shape = blocks.dropLast() + [location.columnCount] }
      }
      if key.role == .positionEmbedding {
        let leading = source.embedding.positionOffset - sink.embedding.positionOffset
        if leading > 0 { from.removeFirst(rows: leading) } else { to.removeFirst(rows: -leading) }
      }
      rectangles += Strip.rectangles(from, to)
    }
    return try RearrangedTensor(
      shape: Shape(shape), parts: parts, map: ElementMap(rectangles), name: tensor.name, file: file)
  }

  private func name(of location: TensorLocation) throws(KistError) -> String {
    if let name = location.names.first(where: { tensors[$0] != nil }) { return name }
    throw KistError(
      .damaged, file: file, field: "tensor '\(location.names.first ?? "")'",
      "is missing, but the configuration asks for it")
  }

  /// A tensor of the source, as numbers: blocks and scales of MXFP4 as one.
  private func part(_ name: String, _ location: TensorLocation) throws(KistError) -> CheckpointTensor {
    guard let tensor = tensors[name] else {
      throw KistError(.damaged, file: file, field: "tensor '\(name)'", "is missing")
    }
    guard tensor.shape.dimensions == location.fileShape else {
      throw KistError(
        .damaged, file: file, field: "tensor '\(name)'",
        "has shape \(tensor.shape.dimensions), and the configuration asks for \(location.fileShape)")
    }
    guard case .mxfp4(let names, let shape) = location.encoding else { return tensor }
    guard let scales = names.lazy.compactMap({ tensors[$0] }).first, tensor.dtype == .u8, scales.dtype == .u8,
      scales.shape.dimensions == shape
    else {
      throw KistError(.damaged, file: file, field: "tensor '\(name)'", "is not U8 with scales of shape \(shape)")
    }
    var packed = CheckpointTensor(
      name: name, dtype: .mxfp4, shape: Shape(shape.dropLast() + [location.columnCount]),
      source: MXFP4Blocks(blocks: tensor.source, scales: scales.source), entry: nil, weightFile: tensor.weightFile)
    packed.origins = [.init(name: name, dtype: tensor.dtype), .init(name: scales.name, dtype: scales.dtype)]
    return packed
  }
}

extension RearrangedTensor {
  /// A tensor of a checkpoint with these numbers.
  ///
  /// - Throws: `unsupported` for a dtype that weights are not written in, or whose blocks do not go with the rows.
  package func encoded(
    as dtype: DType, name: String, importance: [Float]? = nil, file: String
  ) throws(KistError) -> CheckpointTensor {
    var tensor = CheckpointTensor(
      name: name, dtype: dtype, shape: shape, source: MemorySource([]), entry: nil, weightFile: nil)
    tensor.origins = parts.flatMap { part in
      part.origins.isEmpty ? [.init(name: part.name, dtype: part.dtype)] : part.origins
    }
    if let bytes = RearrangedBytes(self, as: dtype) {
      tensor.source = bytes.sameSource ?? bytes
      return tensor
    }
    guard let encoder = RowEncoder(dtype) else {
      throw KistError(.unsupported, file: file, field: "tensor '\(name)'", "weights can't be written as \(dtype)")
    }
    guard columnCount % dtype.unitElementCount == 0 else {
      throw KistError(
        .unsupported, file: file, field: "tensor '\(name)'",
        "has rows of \(columnCount), which do not divide into blocks of \(dtype.unitElementCount) for \(dtype)")
    }
    tensor.source = EncodedSource(self, encoder, importance: importance)
    return tensor
  }
}
