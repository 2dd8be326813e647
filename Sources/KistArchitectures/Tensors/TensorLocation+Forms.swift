/// The rows of one tensor that several roles share.
extension TensorForm {
  /// - Parameters:
  ///   - shape: the tensor's own, of one or two dimensions.
  ///   - rowCount: the rows of a role.
  ///   - heads: of the tensor, when it has heads.
  func location(of key: TensorKey, shape: [Int], names: [String], in model: ModelDescription) -> TensorLocation {
    let (rows, columns) = (shape[0], shape.count > 1 ? shape[1] : 1)
    let tail = Array(shape.dropFirst())
    func located(_ fileShape: [Int], _ order: TensorLocation.Order, addend: Float = 0) -> TensorLocation {
      TensorLocation(
        names: names, fileShape: fileShape, rowCount: rows, columnCount: columns, order: order, addend: addend)
    }
    let whole = TensorLocation.Order.rows([.init(0, rows)])
    func rowCounts(_ roles: [TensorRole]) -> [Int] {
      roles.map { model.shape(of: TensorKey($0, layer: key.layer, expert: key.expert))?[0] ?? 0 }
    }
    let expert = key.expert ?? 0
    let expertCount = model.expertCount(ofLayer: key.layer)

    switch self {
    case .plain: return located(shape, whole)
    case .oneBelow: return located(shape, whole, addend: 1)
    case .transposed: return located([columns, rows], .columns(first: 0, step: 1, width: rows, start: 0))
    case .rows(let roles):
      let counts = rowCounts(roles)
      let start = zip(roles, counts).prefix { $0.0 != key.role }.reduce(0) { $0 + $1.1 }
      return located([counts.reduce(0, +)] + tail, .rows([.init(start, rows)]))
    case .columns(let roles):
      let counts = rowCounts(roles)
      let start = zip(roles, counts).prefix { $0.0 != key.role }.reduce(0) { $0 + $1.1 }
      let width = counts.reduce(0, +)
      return located([columns, width], .columns(first: start, step: 1, width: width, start: 0))
    case .headGroups:
      let runs = headGroupRuns(key.role, model.attention(ofLayer: key.layer))
      let total = rowCounts([.query, .key, .value]).reduce(0, +)
      return located([total] + tail, .rows(runs))
    case .stacked:
      return located([expertCount] + shape, .rows([.init(expert * rows, rows)]))
    case .stackedTransposed(let roles):
      let width = rowCounts(roles).reduce(0, +)
      let first = roles.firstIndex(of: key.role) ?? 0
      return located(
        [expertCount, columns, width],
        .columns(first: first, step: roles.count, width: width, start: expert * columns))
    case .stackedInTurn(let roles):
      let width = rowCounts(roles).reduce(0, +)
      let first = roles.firstIndex(of: key.role) ?? 0
      return located([expertCount, width], .rows([.init(expert * width + first, rows, step: roles.count)]))
    case .neighbouringPairs:
      let attention = model.attention(ofLayer: key.layer)
      return located(shape, .rows(pairRuns(rows, attention.headSize, attention.rotary?.size ?? attention.headSize)))
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
