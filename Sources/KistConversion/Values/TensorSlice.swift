import KistCore

/// A part of a tensor, written as in numpy: `[0:4, :8]`, `[-1]`, `[..., ::2]`.
///
/// Items stand between commas: an index, which drops its dimension; a range `start:stop:step`, each optional, with
/// negative numbers counted from the end and a step that may be negative; `...`, once, for all dimensions that are not
/// mentioned. The brackets may be left out.
public struct TensorSlice: Sendable, Equatable {
  enum Item: Sendable, Equatable {
    case index(Int)
    case range(start: Int?, stop: Int?, step: Int)
    case ellipsis
  }

  let items: [Item]

  /// The whole tensor.
  public static let whole = TensorSlice(items: [])

  private init(items: [Item]) { self.items = items }

  /// - Throws: `invalid` when the text is not a slice.
  public init(_ text: String) throws(KistError) {
    var inner = text.filter { $0 != " " }[...]
    if inner.first == "[", inner.last == "]", inner.count >= 2 { inner = inner.dropFirst().dropLast() }
    if inner.last == "," { inner = inner.dropLast() }
    guard !inner.isEmpty else {
      items = []
      return
    }
    items = try inner.split(separator: ",", omittingEmptySubsequences: false).map { part throws(KistError) in
      guard let item = TensorSlice.item(part) else {
        throw KistError(
          .invalid, field: "slice '\(text)'",
          part.isEmpty ? "an item is empty" : "'\(part)' is neither index, range nor ...",
          advice: "write it as in numpy: '[0:4, :8]'")
      }
      return item
    }
    guard items.count(where: { $0 == .ellipsis }) <= 1 else {
      throw KistError(.invalid, field: "slice '\(text)'", "... can stand in it once")
    }
  }

  private static func item(_ text: Substring) -> Item? {
    if text == "..." { return .ellipsis }
    if let index = Int(text) { return .index(index) }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), parts.allSatisfy({ $0.isEmpty || Int($0) != nil }) else { return nil }
    let step = parts.count == 3 ? Int(parts[2]) ?? 1 : 1
    return step == 0 ? nil : .range(start: Int(parts[0]), stop: Int(parts[1]), step: step)
  }

  /// The elements that this is of a tensor.
  ///
  /// - Throws: `invalid` when there are more items than dimensions, or an index is out of range. Ranges are cut to what
  ///   there is.
  public func selection(in shape: Shape) throws(KistError) -> TensorSelection {
    let indexed = items.filter { $0 != .ellipsis }
    guard indexed.count <= shape.rank else {
      throw KistError(.invalid, field: "slice", "has \(indexed.count) items for a tensor of shape \(shape)")
    }
    let all = Item.range(start: nil, stop: nil, step: 1)
    let rest = Array(repeating: all, count: shape.rank - indexed.count)
    let place = items.firstIndex(of: .ellipsis) ?? items.count
    let complete = items[..<place] + rest + items[min(place + 1, items.count)...]
    let axes = try zip(complete, shape.dimensions).map { item, length throws(KistError) in try item.axis(length) }
    return TensorSelection(shape: shape, axes: axes)
  }
}

extension TensorSlice.Item {
  /// What the item selects of a dimension; by the rules of Python's `slice.indices`.
  fileprivate func axis(_ length: Int) throws(KistError) -> TensorSelection.Axis {
    switch self {
    case .ellipsis: return TensorSelection.Axis(start: 0, count: length, step: 1, isDropped: false)
    case .index(let index):
      guard index >= -length, index < length else {
        throw KistError(.invalid, field: "slice", "index \(index) is out of range for a dimension of \(length)")
      }
      return TensorSelection.Axis(start: index < 0 ? index + length : index, count: 1, step: 1, isDropped: true)
    case .range(let start, let stop, let step):
      let limits = step > 0 ? 0...length : -1...max(length - 1, -1)
      func place(_ index: Int?, _ fallback: Int) -> Int {
        guard let index else { return fallback }
        // Far beyond either end, adding the length must not overflow.
        return min(
          max(index < 0 ? index.addingReportingOverflow(length).partialValue : index, limits.lowerBound),
          limits.upperBound)
      }
      let first = place(start, step > 0 ? 0 : length - 1)
      let end = place(stop, step > 0 ? length : -1)
      let distance = step > 0 ? end - first : first - end
      let stride = Int(clamping: step.magnitude)
      return TensorSelection.Axis(
        start: first, count: distance > 0 ? (distance - 1) / stride + 1 : 0, step: step, isDropped: false)
    }
  }
}

/// Elements of a tensor: of every dimension, evenly spaced indices.
public struct TensorSelection: Sendable, Equatable {
  struct Axis: Sendable, Equatable {
    var start: Int
    var count: Int
    var step: Int
    /// Whether it was one index, so that the dimension is not in the result.
    var isDropped: Bool
  }

  /// Of the tensor.
  let fullShape: Shape
  let axes: [Axis]
  /// Elements from one index of a dimension to the next.
  private let strides: [Int]

  init(shape: Shape, axes: [Axis]) {
    fullShape = shape
    self.axes = axes
    var strides = [Int](repeating: 1, count: shape.rank)
    for axis in (0..<max(shape.rank - 1, 0)).reversed() {
      strides[axis] = strides[axis + 1] * shape.dimensions[axis + 1]
    }
    self.strides = strides
  }

  /// Of what is selected.
  public var shape: Shape { Shape(axes.filter { !$0.isDropped }.map(\.count)) }

  public var elementCount: Int { axes.reduce(1) { $0 * $1.count } }

  /// The tensor's element at an index into the selection, dropped dimensions left out.
  func element(at index: [Int]) -> Int {
    var kept = index.makeIterator()
    var element = 0
    for (axis, stride) in zip(axes, strides) {
      element += (axis.start + (axis.isDropped ? 0 : kept.next() ?? 0) * axis.step) * stride
    }
    return element
  }

  /// Calls `body` with runs of adjacent elements that together are the selection in row-major order.
  func forEachRun(_ body: (Range<Int>) throws(KistError) -> Void) throws(KistError) {
    guard elementCount > 0 else { return }
    // The dimensions from `whole` on are taken whole, so that their elements lie side by side.
    var whole = axes.count
    while whole > 0,
      axes[whole - 1] == Axis(start: 0, count: fullShape.dimensions[whole - 1], step: 1, isDropped: false)
    { whole -= 1 }
    var runLength = axes[whole...].reduce(1) { $0 * $1.count }
    var outer = axes[..<whole]
    if let last = outer.last, last.step == 1 {
      runLength *= last.count
      outer = outer.dropLast()
    }
    var index = [Int](repeating: 0, count: outer.count)
    while true {
      var first = 0
      for (place, axis) in axes.enumerated() {
        first += (axis.start + (place < index.count ? index[place] * axis.step : 0)) * strides[place]
      }
      try body(first..<first + runLength)
      guard let next = index.indices.last(where: { index[$0] + 1 < outer[$0].count }) else { return }
      index[next] += 1
      for place in (next + 1)..<index.count { index[place] = 0 }
    }
  }
}
