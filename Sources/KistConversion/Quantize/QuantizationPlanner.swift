import KistCore
import KistQuantization

/// Settles the type of each tensor of a checkpoint, and how much the errors of its columns count.
struct QuantizationPlanner {
  let source: Checkpoint
  let options: QuantizationOptions
  let importance: NamedImportance?
  let view: QuantizationView
  var notices: [String] = []

  init(_ source: Checkpoint, _ options: QuantizationOptions, _ importance: NamedImportance?) throws(KistError) {
    self.source = source
    self.options = options
    self.importance = importance
    do throws(KistError) {
      view = try QuantizationView(source, hasImportance: importance != nil)
    } catch {
      guard error.kind == .unsupported, options.isPure else { throw error }
      view = QuantizationView(namesOf: source)
      notices.append("every matrix counts as a weight like any other, because nothing says what they are: \(error)")
    }
    try checkImportance()
    try checkPatterns()
  }

  /// What becomes of each tensor of the source.
  mutating func plans(_ scheme: QuantizationScheme) throws(KistError) -> [TensorPlan] {
    try plans(of: scheme.types(of: view.tensors, in: view.model, wishes: wishes).map(\.wanted))
  }

  /// - Parameter wanted: a type for each tensor of the view.
  mutating func plans(of wanted: [DType]) throws(KistError) -> [TensorPlan] {
    try plans { _, parts in
      parts.map { wanted[$0] }.max { $0.meanBitsPerElement < $1.meanBitsPerElement }
    }
  }

  /// - Throws: `invalid` when these are the types of another model, or a tensor can't have the one that it should.
  mutating func plans(as chosen: ChosenTypes) throws(KistError) -> [TensorPlan] {
    try chosen.check(source)
    let plans = try plans { tensor, _ in chosen[tensor.name] }
    for plan in plans where plan.type != chosen[plan.tensor.name] {
      throw KistError(
        .invalid, file: chosen.path, field: "tensor '\(plan.tensor.name)'",
        "should be \(chosen[plan.tensor.name]?.name ?? ""), which it can't be: it would be \(plan.type?.name ?? TensorPlan.unknownType)"
      )
    }
    return plans
  }

  /// - Parameter wanted: the type for a tensor that holds these tensors of the view, or parts of them.
  private mutating func plans(
    _ wanted: (CheckpointTensor, [Int]) -> DType?
  ) throws(KistError) -> [TensorPlan] {
    var missing = 0
    let plans = try source.tensors.enumerated().map { index, tensor throws(KistError) in
      let plan = try plan(tensor, view.places[index], wanted)
      if importance != nil, plan.isChanged, plan.importance == nil, plan.role?.hasPrefix("blk.") == true {
        missing += 1
      }
      return plan
    }
    let coarse = plans.filter { $0.isChanged && $0.importance == nil && $0.isOnlyUsefulWithImportance }
    if let first = coarse.first {
      notices.append(
        "\(coarse.count) tensors become \(first.type?.name ?? "") or as coarse without an importance matrix, which llama-quantize "
          + "refuses: expect little of them")
    }
    if missing > 0 {
      notices.append(
        "the importance matrix says nothing of \(missing) quantized tensors, whose columns all count the same")
    }
    return plans
  }

  private func plan(
    _ tensor: CheckpointTensor, _ place: QuantizationView.Place, _ wanted: (CheckpointTensor, [Int]) -> DType?
  ) throws(KistError) -> TensorPlan {
    let role = place.parts.first.map { view.tensors[$0].name }
    let parts = quantizableParts(of: tensor, place)
    guard let dtype = tensor.dtype, let first = parts.first, let best = wanted(tensor, parts) else {
      return TensorPlan(keeping: tensor, role: role)
    }
    let type = TypeChooser.fitting(best, columns: tensor.shape.dimensions.last ?? 0)
    guard type != dtype else { return TensorPlan(keeping: tensor, role: role) }
    guard !dtype.isBlockType || options.allowsRequantizing else {
      throw KistError(
        .invalid, file: source.path, field: "tensor '\(tensor.name)'",
        "is \(dtype) already, and would lose twice when it becomes \(type)",
        advice: "quantize the original, or give --allow-requantize")
    }
    return try TensorPlan(
      tensor, role: view.tensors[first].name, wanted: best, as: type, importance: importance(of: tensor, place),
      allowsNonfinite: options.allowsNonfinite, file: source.path)
  }

  /// Which of the view's tensors decide the type of a tensor; none of one that stays as it is.
  func quantizableParts(of tensor: CheckpointTensor, _ place: QuantizationView.Place) -> [Int] {
    guard let dtype = tensor.dtype, dtype.holdsWeights, place.isPlain, tensor.shape.rank >= 2 else { return [] }
    return place.parts.filter { TypeChooser.mayQuantize(view.tensors[$0]) }
  }

  // MARK: - Importance

  /// Importances of a tensor's columns; nil where the matrix has none.
  func importance(of tensor: CheckpointTensor, _ place: QuantizationView.Place) -> [Float]? {
    guard let importance, place.hasInputsInRows else { return nil }
    let columns = tensor.shape.dimensions.last ?? 1
    for part in place.parts {
      guard let weights = importance.matrix[view.tensors[part].name]?.weights else { continue }
      if let expert = place.expert {
        guard weights.count >= (expert + 1) * columns else { continue }
        return Array(weights[expert * columns..<(expert + 1) * columns])
      }
      // A table of embeddings has no inputs of its own; what is said of it is of another shape.
      if weights.count % columns == 0, tensor.elementCount / columns % (weights.count / columns) == 0 {
        return weights
      }
    }
    return nil
  }

  /// Throws when the importance matrix is of another model.
  private func checkImportance() throws(KistError) {
    guard let importance, !view.model.architecture.isEmpty || source.provenanceFormat == .gguf else { return }
    for name in importance.matrix.names {
      guard let tensor = view.tensors.first(where: { $0.name == name }) else {
        throw KistError(
          .invalid, file: importance.path, field: "tensor '\(name)'",
          "is not in \(source.path): this importance matrix is of another model")
      }
      let matrices = tensor.shape.count > 2 ? tensor.shape[0] : 1
      let size = (tensor.shape.last ?? 0) * matrices
      let count = importance.matrix[name]?.sums.count ?? 0
      guard count == size || MixtureRole.isTable(name) else {
        throw KistError(
          .invalid, file: importance.path, field: "tensor '\(name)'",
          "has \(count) importances, and the tensor in \(source.path) \(size) columns: this is of another model")
      }
    }
  }

  // MARK: - Wishes

  var wishes: TypeChooser.Wishes {
    var wishes = TypeChooser.Wishes()
    wishes.output = options.output
    wishes.tokenEmbedding = options.tokenEmbedding
    wishes.isPure = options.isPure
    let named = options.namedTypes
    let names = fileNames
    wishes.named = { name in
      named.first { wish in wish.glob.matches(name) || names[name]?.contains(where: wish.glob.matches) == true }?.type
    }
    return wishes
  }

  /// What the file calls the tensors of the view.
  private var fileNames: [String: [String]] {
    var names: [String: [String]] = [:]
    for (tensor, place) in zip(source.tensors, view.places) {
      for part in place.parts { names[view.tensors[part].name, default: []].append(tensor.name) }
    }
    return names
  }

  private func checkPatterns() throws(KistError) {
    let names = Set(view.tensors.map(\.name)).union(source.tensors.map(\.name))
    for wish in options.namedTypes where !names.contains(where: wish.glob.matches) {
      throw KistError(
        .missing, file: source.path, field: "--tensor-type", "no tensor matches '\(wish.pattern)'",
        advice: "`kist inspect` lists the names; GGUF's work as well")
    }
  }
}

extension MixtureRole {
  /// Whether a name is that of a table of embeddings.
  static func isTable(_ name: String) -> Bool { MixtureRole(name) == .tokenEmbedding }
}

extension DType {
  /// Whether weights come in it: floats and block types, not integers.
  var holdsWeights: Bool {
    switch numbers {
    case .float, .ieee, .blocks: true
    default: false
    }
  }
}
