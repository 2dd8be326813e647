import KistCore

extension TensorForm {
  /// Where a tensor's rows lie: in one place, or some here and some there, in their order.
  ///
  /// - Parameters:
  ///   - shape: the tensor's own, of one or two dimensions.
  ///   - name: the rule's.
  func locations(of key: TensorKey, shape: [Int], name: String, in model: ModelDescription) -> [TensorLocation] {
    switch self {
    case .eachHead:
      (0..<shape[0]).map {
        TensorLocation(
          names: model.names(name, of: key, head: $0), fileShape: Array(shape.dropFirst()), rowCount: 1,
          columnCount: shape[1], order: .rows([.init(0, 1)]), addend: 0)
      }
    case .latentHeads(let values):
      latentHeads(of: key, name, model.names(values, of: key), model)
    default: [location(of: key, shape: shape, name: name, in: model)]
    }
  }

  /// For each head the rows that make its key, from a transposed slice, then those that make its value.
  private func latentHeads(
    of key: TensorKey, _ name: String, _ values: [String], _ model: ModelDescription
  ) -> [TensorLocation] {
    let attention = model.attention(ofLayer: key.layer)
    guard let latent = attention.latent else { return [] }
    let (heads, rank) = (attention.headCount, latent.keyValueRank)
    return (0..<heads).flatMap { head in
      [
        TensorLocation(
          names: model.names(name, of: key), fileShape: [heads, rank, latent.plainSize], rowCount: latent.plainSize,
          columnCount: rank, order: .columns(first: 0, step: 1, width: latent.plainSize, start: head * rank), addend: 0),
        TensorLocation(
          names: values, fileShape: [heads, attention.valueHeadSize, rank], rowCount: attention.valueHeadSize,
          columnCount: rank, order: .rows([.init(head * attention.valueHeadSize, attention.valueHeadSize)]), addend: 0),
      ]
    }
  }

  private func location(of key: TensorKey, shape: [Int], name: String, in model: ModelDescription) -> TensorLocation {
    let (rows, columns) = (shape[0], shape.count > 1 ? shape[1] : 1)
    let tail = Array(shape.dropFirst())
    let names = model.names(name, of: key)
    func located(_ fileShape: [Int], _ order: TensorLocation.Order, addend: Float = 0) -> TensorLocation {
      TensorLocation(
        names: names, fileShape: fileShape, rowCount: rows, columnCount: columns, order: order, addend: addend)
    }
    let whole = TensorLocation.Order.rows([.init(0, rows)])
    let expert = key.expert ?? 0
    let expertCount = model.expertCount(ofLayer: key.layer)

    switch self {
    case .plain, .eachHead, .latentHeads: return located(shape, whole)
    case .oneBelow: return located(shape, whole, addend: 1)
    case .transposed: return located([columns, rows], .columns(first: 0, step: 1, width: rows, start: 0))
    case .rows(let roles):
      let share = Share(key, roles, model)
      return located([share.width] + tail, .rows([.init(share.start, rows)]))
    case .columns(let roles):
      let share = Share(key, roles, model)
      return located([columns, share.width], .columns(first: share.start, step: 1, width: share.width, start: 0))
    case .headGroups:
      let width = Share(key, [.query, .key, .value], model).width
      return located([width] + tail, .rows(headGroupRuns(key.role, model.attention(ofLayer: key.layer))))
    case .stacked:
      return located([expertCount] + shape, .rows([.init(expert * rows, rows)]))
    case .stackedTransposed(let roles):
      let share = Share(key, roles, model)
      return located(
        [expertCount, columns, share.width],
        .columns(first: share.place, step: roles.count, width: share.width, start: expert * columns))
    case .stackedInTurn(let roles):
      let share = Share(key, roles, model)
      return located([expertCount, share.width] + tail, .rows([share.inTurn(expert, rows)]))
    case .stackedBlocks(let roles, let scales):
      let share = Share(key, roles, model)
      let blocks = [expertCount, share.width, columns / DType.mxfp4.unitElementCount]
      var location = located(blocks + [DType.mxfp4.unitElementCount / 2], .rows([share.inTurn(expert, rows)]))
      location.encoding = .mxfp4(scales: model.names(scales, of: key), shape: blocks)
      return location
    case .neighbouringPairs:
      let attention = model.attention(ofLayer: key.layer)
      return located(shape, .rows(pairRuns(rows, attention.headSize, attention.rotary?.size ?? attention.headSize)))
    }
  }

  /// A role's part of a tensor that several share.
  private struct Share {
    /// Which of the roles it is.
    var place: Int
    /// Rows of the roles before it, and of all.
    var start: Int
    var width: Int
    var count: Int

    init(_ key: TensorKey, _ roles: [TensorRole], _ model: ModelDescription) {
      let counts = roles.map { model.shape(of: TensorKey($0, layer: key.layer, expert: key.expert))?[0] ?? 0 }
      place = roles.firstIndex(of: key.role) ?? 0
      start = counts.prefix(place).reduce(0, +)
      width = counts.reduce(0, +)
      count = roles.count
    }

    /// The rows of an expert, where the roles take turns.
    func inTurn(_ expert: Int, _ rows: Int) -> TensorLocation.Run {
      TensorLocation.Run(expert * width + place, rows, step: count)
    }
  }

  /// The runs of a role's rows where each key head has its query heads before it and its value head behind.
  private func headGroupRuns(_ role: TensorRole, _ attention: AttentionDescription) -> [TensorLocation.Run] {
    let size = attention.headSize
    let perGroup = attention.headCount / attention.keyValueHeadCount
    let (first, count) =
      switch role {
      case .query: (0, perGroup)
      case .key: (perGroup, 1)
      default: (perGroup + 1, 1)
      }
    return (0..<attention.keyValueHeadCount).map { group in
      TensorLocation.Run((group * (perGroup + 2) + first) * size, count * size)
    }
  }

  /// Row (h, half, i) of the tensor is row (h, i, half) of the file.
  private func pairRuns(_ rows: Int, _ headSize: Int, _ rotarySize: Int) -> [TensorLocation.Run] {
    stride(from: 0, to: rows, by: headSize).flatMap { head in
      [
        TensorLocation.Run(head, rotarySize / 2, step: 2), TensorLocation.Run(head + 1, rotarySize / 2, step: 2),
        TensorLocation.Run(head + rotarySize, headSize - rotarySize),
      ].filter { $0.count > 0 }
    }
  }
}
