import KistArchitectures
import KistCore
import KistQuantization

/// What the GGUF of a model has: names, shapes and what lies in them.
struct GGUFOutline {
  var model: TypeChooser.Model
  var tensors: [Tensor]

  struct Tensor {
    var name: String
    var shape: [Int]
    var keys: [TensorKey]
  }

  /// Of a model that is a GGUF, or came from one, what it has; else what its GGUF would have.
  init(of model: LoadedModel) throws(KistError) {
    try self.init(model.model, isGGUF: model.checkpoint.provenanceFormat == .gguf)
  }

  init(_ description: ModelDescription, isGGUF: Bool = false) throws(KistError) {
    let layer = description.layers.first
    let experts = description.layers.compactMap(\.feedForward.experts).first
    model = TypeChooser.Model(
      architecture: description.architecture.gguf?.name ?? description.architecture.name,
      layerCount: description.layers.count, headCount: layer?.attention.headCount ?? 0,
      kvHeadCount: layer?.attention.keyValueHeadCount ?? 0, expertCount: experts?.count ?? 0)
    guard let gguf = try isGGUF ? description : description.inGGUF() else {
      tensors = GGUFOutline.byRoles(description)
      return
    }
    tensors = gguf.fileTensors.map { Tensor(name: $0.name, shape: $0.shape, keys: $0.keys) }
    // What the file itself would say; of latent attention there is one key head.
    let keys = description.ggufMetadata ?? []
    func size(_ name: String) -> Int? {
      guard case .uint32(let number)? = keys.first(where: { $0.key == "\(model.architecture).\(name)" })?.value else {
        return nil
      }
      return Int(number)
    }
    model.headCount = size("attention.head_count") ?? model.headCount
    model.kvHeadCount = size("attention.head_count_kv") ?? model.kvHeadCount
    model.layerCount = size("block_count") ?? model.layerCount
  }

  /// For families that llama.cpp does not have: its names for what the tensors do.
  private static func byRoles(_ description: ModelDescription) -> [Tensor] {
    var tensors: [Tensor] = []
    var places: [String: Int] = [:]
    for key in description.tensorKeys {
      let base = key.role.ggufName ?? (key.role.isOfLayer ? "blk.{layer}." : "") + key.role.rawValue
      let name = base.replacing("{layer}", with: "\(key.layer ?? 0)") + ".\(key.part.rawValue)"
      if let place = places[name] {
        tensors[place].keys.append(key)
        tensors[place].shape[0] += 1
      } else {
        places[name] = tensors.count
        let shape = description.shape(of: key) ?? []
        tensors.append(Tensor(name: name, shape: key.expert == nil ? shape : [1] + shape, keys: [key]))
      }
    }
    return tensors
  }
}
