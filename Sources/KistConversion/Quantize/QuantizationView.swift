import KistArchitectures
import KistCore
import KistFormat
import KistQuantization

/// A checkpoint as `llama-quantize` would see it: the tensors of its GGUF in their order, by whose names types are chosen; and which of
/// them each tensor of the checkpoint has values of.
struct QuantizationView: Sendable {
  var model: TypeChooser.Model
  /// In the order of `llama-quantize`: by layer, then by name.
  var tensors: [TypeChooser.Tensor]
  /// For each tensor of the checkpoint.
  var places: [Place]

  /// What a tensor of the checkpoint has of the GGUF's.
  struct Place: Sendable {
    /// Indices in `tensors`.
    var parts: [Int] = []
    /// The expert whose values these are, where it is one of a GGUF's stack.
    var expert: Int?
    /// Whether a row of the tensor is one output's weights for all inputs.
    var hasInputsInRows = true
    /// Whether the numbers lie there as they are, so that they can be written otherwise.
    var isPlain = true
  }

  /// - Throws: `unsupported` when nothing says what the tensors are.
  init(_ checkpoint: Checkpoint, hasImportance: Bool) throws(KistError) {
    if checkpoint.provenanceFormat == .gguf {
      self.init(ofGGUF: checkpoint)
    } else {
      try self.init(LoadedModel.description(of: checkpoint), checkpoint)
    }
    model.hasImportance = hasImportance
  }

  /// By names alone, for a checkpoint of which nothing else is known: every matrix is a weight like any other.
  init(namesOf checkpoint: Checkpoint) {
    model = TypeChooser.Model(architecture: "", layerCount: 0, headCount: 0, kvHeadCount: 0)
    tensors = checkpoint.tensors.map {
      TypeChooser.Tensor(name: $0.name, dtype: $0.dtype ?? .u8, shape: $0.shape.dimensions)
    }
    places = tensors.indices.map { Place(parts: [$0]) }
  }

  // MARK: - GGUF

  private init(ofGGUF checkpoint: Checkpoint) {
    let metadata = checkpoint.metadata
    let architecture = metadata["general.architecture"].map { "\($0)" } ?? ""
    func size(_ key: String) -> Int? { metadata["\(architecture).\(key)"]?.firstInteger }
    let heads = size("attention.head_count") ?? 0
    model = TypeChooser.Model(
      architecture: architecture, layerCount: size("block_count") ?? 0, headCount: heads,
      kvHeadCount: size("attention.head_count_kv") ?? heads, expertCount: size("expert_count") ?? 0)
    let order = checkpoint.tensors.indices.sorted {
      GGUFOrder(checkpoint.tensors[$0].name) < GGUFOrder(checkpoint.tensors[$1].name)
    }
    tensors = order.map { index in
      let tensor = checkpoint.tensors[index]
      return TypeChooser.Tensor(name: tensor.name, dtype: tensor.dtype ?? .u8, shape: tensor.shape.dimensions)
    }
    places = checkpoint.tensors.map { _ in Place() }
    for (place, index) in order.enumerated() { places[index].parts = [place] }
  }

  // MARK: - Other checkpoints

  private init(_ description: ModelDescription, _ checkpoint: Checkpoint) throws(KistError) {
    let outline = try GGUFOutline(description)
    model = outline.model
    let order = outline.tensors.sorted { GGUFOrder($0.name) < GGUFOrder($1.name) }
    var owners: [TensorKey: [Int]] = [:]
    for (index, tensor) in order.enumerated() { for key in tensor.keys { owners[key, default: []].append(index) } }

    let indices = Dictionary(
      checkpoint.tensors.enumerated().map { (Array($1.name.utf8), $0) }, uniquingKeysWith: { first, _ in first })
    var places = checkpoint.tensors.map { _ in Place() }
    for key in description.tensorKeys {
      for location in description.locations(of: key) {
        guard let index = location.names.lazy.compactMap({ indices[Array($0.utf8)] }).first else { continue }
        for owner in owners[key] ?? [] where !places[index].parts.contains(owner) {
          places[index].parts.append(owner)
        }
        places[index].note(location, key)
      }
    }
    tensors = order.map { TypeChooser.Tensor(name: $0.name, dtype: .f32, shape: $0.shape) }
    for (index, place) in places.enumerated() {
      for part in place.parts { tensors[part].dtype = checkpoint.tensors[index].dtype ?? .u8 }
    }
    // A tied head that is in the file all the same goes the way of the table.
    if let table = tensors.firstIndex(where: { $0.name == "token_embd.weight" }), description.head.isTied {
      let size = [description.vocabularySize, description.embedding.tableWidth]
      for (index, tensor) in checkpoint.tensors.enumerated()
      where places[index].parts.isEmpty && tensor.shape.dimensions == size { places[index].parts = [table] }
    }
    self.places = places
  }
}

extension QuantizationView.Place {
  fileprivate mutating func note(_ location: TensorLocation, _ key: TensorKey) {
    if case .columns = location.order { hasInputsInRows = false }
    if location.encoding != .values { isPlain = false }
    if let expert = key.expert, location.fileShape.count < 3 { self.expert = expert }
  }
}

/// The order in which llama.cpp keeps a file's tensors: those of no layer, then layer by layer, each by name.
struct GGUFOrder: Comparable {
  /// -1 of a tensor of no layer.
  let layer: Int
  private let name: [UInt8]

  init(_ name: String) {
    self.name = Array(name.utf8)
    layer = name.hasPrefix("blk.") ? name.dropFirst(4).split(separator: ".").first.flatMap { Int($0) } ?? -1 : -1
  }

  static func < (a: GGUFOrder, b: GGUFOrder) -> Bool {
    a.layer == b.layer ? a.name.lexicographicallyPrecedes(b.name) : a.layer < b.layer
  }
}

extension Metadata.Value {
  /// An integer, or the first of a list of them.
  fileprivate var firstInteger: Int? {
    switch self {
    case .integer(let digits, _): Int(digits)
    case .list(let list): list.values.first?.firstInteger
    default: nil
    }
  }
}
