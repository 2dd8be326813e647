/// The dimensions of a tensor, slowest first, as in PyTorch.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral {
  public let dimensions: [Int]

  public init(_ dimensions: [Int]) { self.dimensions = dimensions }
  public init(arrayLiteral dimensions: Int...) { self.dimensions = dimensions }

  public var rank: Int { dimensions.count }

  /// The most dimensions that the container takes.
  public static let maximumRank = 64

  /// The product of the dimensions, 1 for a scalar; nil when one is negative or the product overflows on the way.
  public var elementCount: Int? { Shape.product(dimensions) }

  package static func product(_ dimensions: some Sequence<Int>) -> Int? {
    var product = 1
    for dimension in dimensions {
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      product = next
    }
    return product
  }
}

extension Shape: CustomStringConvertible {
  /// `[512, 64]`
  public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }
}
