/// The dimensions of a tensor, slowest first, as in PyTorch.
///
/// Up to four are kept in place: a list of 100,000 tensors then allocates nothing for its shapes.
public struct Shape: Sendable, Hashable {
  @usableFromInline package var near: InlineArray<4, Int>
  @usableFromInline package var far: [Int]?
  public let rank: Int

  /// The most dimensions that the container takes.
  public static let maximumRank = 64

  public init(_ dimensions: [Int]) {
    self.init(rank: dimensions.count) { dimensions[$0] }
  }

  // Inlined where entries are listed: a call for every dimension of 100,000 tensors is what one would see.
  @inlinable package init(rank: Int, _ dimension: (Int) -> Int) {
    self.rank = rank
    near = InlineArray(repeating: 0)
    if rank > 4 {
      far = (0..<rank).map(dimension)
    } else {
      for index in 0..<rank { near[index] = dimension(index) }
    }
  }

  public subscript(index: Int) -> Int {
    precondition(index < rank, "a dimension below the rank")
    return far?[index] ?? near[index]
  }

  public var dimensions: [Int] { far ?? (0..<rank).map { near[$0] } }

  /// Indices of an element, counted in row-major order.
  package func position(ofElement index: Int) -> [Int] {
    var rest = index
    var position: [Int] = []
    for size in dimensions.reversed() {
      position.insert(rest % max(1, size), at: 0)
      rest /= max(1, size)
    }
    return position
  }

  /// The product of the dimensions, 1 for a scalar; nil when one is negative or the product overflows on the way.
  public var elementCount: Int? {
    if let far { return Shape.product(of: far.count) { far[$0] } }
    return Shape.product(of: rank) { near[$0] }
  }

  @inline(__always)
  private static func product(of count: Int, _ dimension: (Int) -> Int) -> Int? {
    var product = 1
    for index in 0..<count {
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension(index))
      guard dimension(index) >= 0, !overflow else { return nil }
      product = next
    }
    return product
  }

  public static func == (a: Shape, b: Shape) -> Bool {
    a.rank == b.rank && (0..<a.rank).allSatisfy { a[$0] == b[$0] }
  }

  public func hash(into hasher: inout Hasher) {
    for index in 0..<rank { hasher.combine(self[index]) }
  }
}

extension Shape: ExpressibleByArrayLiteral {
  public init(arrayLiteral dimensions: Int...) { self.init(dimensions) }
}

extension Shape: CustomStringConvertible {
  /// `[512, 64]`
  public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }
}
