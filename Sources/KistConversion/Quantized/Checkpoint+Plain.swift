import KistCore
import KistFormat
import KistQuantization

extension Checkpoint {
  /// The checkpoint with weights that another program quantized (GPTQ, AWQ, FP8, compressed-tensors, bitsandbytes) as numbers: tensors of
  /// f32 that are made as they are read. Itself when there are none.
  ///
  /// - Throws: `unsupported` for a `quantization_config` that this version does not know; `damaged` for tensors that do not go with it.
  package func plain() throws(KistError) -> Checkpoint {
    guard let (form, config) = try quantization() else { return self }
    let layers = QuantizedLayers(self)
    var plain: [CheckpointTensor] = []
    for tensor in tensors {
      if let carrier = form.carriers.first(where: { tensor.name.hasSuffix($0.ending) }) {
        let layer = String(tensor.name.dropLast(carrier.ending.count))
        if let elements = try form.elements(layers, layer, config) {
          var weight = try tensor.replaced(by: elements, named: layer + carrier.weight)
          weight.origins = ([tensor] + form.companions.compactMap { layers.find(layer + $0) }).map {
            CheckpointTensor.Origin(name: $0.name, dtype: $0.dtype)
          }
          plain.append(weight)
          continue
        }
      }
      if !form.companions.contains(where: tensor.name.hasSuffix) { plain.append(tensor) }
    }
    var checkpoint = with(assets: try assets.map { asset throws(KistError) in try asset.withoutQuantization(path) })
    checkpoint.tensors = plain
    return checkpoint
  }

  /// What `quantization_config` says; nil without one, or where the architecture reads it itself.
  private func quantization() throws(KistError) -> (QuantizedForm, QuantizationConfig)? {
    guard provenanceFormat != .gguf, let asset = assets.first(where: { compareBytes($0.path, "config.json") == 0 })
    else { return nil }
    let bytes = try asset.smallContent(at: path)
    guard let json = try? unsafe JSONDocument(bytes.span.bytes).root, let config = json["quantization_config"],
      let method = config["quant_method"]?.string, method != "mxfp4"
    else { return nil }
    let settings = QuantizationConfig(json: config, file: path)
    guard let form = QuantizedForm.all.first(where: { $0.method == method }) else {
      throw settings.unsupported("quant_method", "'\(method)' is not known: its numbers can't be read")
    }
    return (form, settings)
  }
}

extension CheckpointTensor {
  fileprivate func replaced(by elements: any ElementSource, named name: String) throws(KistError) -> CheckpointTensor {
    guard let encoder = RowEncoder(.f32) else { return self }
    var tensor = self
    tensor.name = name
    tensor.dtype = .f32
    tensor.shape = elements.shape
    tensor.source = EncodedSource(elements, encoder)
    tensor.entry = nil
    return tensor
  }
}

extension CheckpointAsset {
  /// config.json without what holds for quantized weights only.
  fileprivate func withoutQuantization(_ file: String) throws(KistError) -> CheckpointAsset {
    guard compareBytes(path, "config.json") == 0 else { return self }
    let bytes = try smallContent(at: file)
    guard let members = try unsafe JSONDocument(bytes.span.bytes).root.members else { return self }
    var text = JSONText()
    text.object(
      members.filter { $0.key != "quantization_config" }.map { member in (member.key, { $0.value(member.value) }) })
    var asset = self
    asset.source = MemorySource(text.bytes)
    asset.entry = nil
    return asset
  }
}
