import KistArchitectures
import KistCore
import KistQuantization

/// Tensors of a checkpoint that get the same type, because they are one tensor in a GGUF: all experts of a layer's gate.
struct QuantizableGroup: Sendable {
  /// Indices of the view's tensors whose values these are.
  var parts: [Int]
  /// Indices of the checkpoint's tensors.
  var members: [Int]
  /// Types that may be chosen, and bytes of all members in each.
  var candidates: [(type: DType, byteCount: Int)]
  /// Nil when it is of no layer.
  var layer: Int?
  /// Bytes of the members in the source.
  var byteCount: Int
}

extension QuantizationPlanner {
  /// Types that a mixture may be made of, where rows divide into their blocks.
  private static let candidateTypes: [DType] = [
    .iq1_s, .iq1_m, .iq2_xxs, .iq2_xs, .iq2_s, .q2_k, .iq3_xxs, .iq3_s, .q3_k, .iq4_xs, .iq4_nl, .q4_0, .q4_k, .q5_0,
    .q5_k, .q6_k, .q8_0,
  ]

  /// What there is to choose.
  func groups() -> [QuantizableGroup] {
    var groups: [QuantizableGroup] = []
    var places: [Int: Int] = [:]
    for (index, tensor) in source.tensors.enumerated() {
      let parts = quantizableParts(of: tensor, view.places[index])
      guard let first = parts.first else { continue }
      if let place = places[first] {
        groups[place].members.append(index)
        groups[place].byteCount += tensor.byteCount
      } else {
        places[first] = groups.count
        let layer = GGUFOrder(view.tensors[first].name).layer
        groups.append(
          QuantizableGroup(
            parts: parts, members: [index], candidates: [], layer: layer >= 0 ? layer : nil,
            byteCount: tensor.byteCount))
      }
    }
    for index in groups.indices { groups[index].candidates = candidates(of: groups[index]) }
    return groups
  }

  private func candidates(of group: QuantizableGroup) -> [(type: DType, byteCount: Int)] {
    let tensors = group.members.map { source.tensors[$0] }
    let names = group.parts.map { view.tensors[$0].name }
    func size(_ type: DType) -> Int? {
      var sum = 0
      for tensor in tensors {
        let fitting = TypeChooser.fitting(type, columns: tensor.shape.dimensions.last ?? 0)
        guard fitting == type, let bytes = type.byteCount(ofElements: tensor.elementCount) else { return nil }
        sum += bytes
      }
      return sum
    }
    if let wish = names.lazy.compactMap(wish).first, let bytes = size(wish) { return [(wish, bytes)] }
    let own = tensors.reduce(0) { $0 + $1.byteCount }
    var candidates: [(type: DType, byteCount: Int)] = []
    // One dtype for all, or they would not be of a type that the view's tensor can have.
    if let dtype = tensors[0].dtype, tensors.allSatisfy({ $0.dtype == dtype }) { candidates.append((dtype, own)) }
    if tensors.contains(where: { $0.dtype?.isBlockType == true }), !options.allowsRequantizing { return candidates }
    for type in Self.candidateTypes {
      guard let encoder = RowEncoder(type), let bytes = size(type), bytes < own else { continue }
      let isImportant = group.members.allSatisfy { importance(of: source.tensors[$0], view.places[$0]) != nil }
      guard isImportant || !encoder.requiresImportance else { continue }
      candidates.append((type, bytes))
    }
    return candidates
  }

  private func wish(_ name: String) -> DType? {
    switch MixtureRole(name) {
    case .output: options.output ?? wishes.named(name)
    case .tokenEmbedding: options.tokenEmbedding ?? wishes.named(name)
    default: wishes.named(name)
    }
  }
}
