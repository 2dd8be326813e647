import KistCore

/// Where the elements of a tensor lie in some bytes: a beginning, and for each dimension a step from one element to the next, as NumPy and
/// PyTorch have it.
package struct ElementLayout: Sendable, Equatable {
  /// Bytes of an element.
  let width: Int
  /// Bytes of a number that are to be reversed; 1 when they are in little-endian order.
  let swapWidth: Int
  /// Bytes before the first element.
  let offset: Int
  /// Sizes, slowest first; dimensions of one element are left out, and those that lie in one run are one.
  let sizes: [Int]
  /// Bytes from one element to the next, by dimension; never negative.
  let steps: [Int]
  /// Bytes of all elements.
  let byteCount: Int
  /// The bytes that are touched, from the first to the last.
  let extent: Range<Int>

  /// - Parameters:
  ///   - steps: Elements from one to the next, for each dimension of `shape`.
  ///   - offset: Bytes before the first element.
  ///   - available: Bytes that are there.
  /// - Throws: `damaged`, without a field, when an element would lie outside, or a number overflows.
  package init(
    shape: Shape, steps: [Int], width: Int, swapWidth: Int = 1, offset: Int, available: Int
  ) throws(KistError) {
    precondition(steps.count == shape.rank, "a step for each dimension")
    guard let count = shape.elementCount, let byteCount = product(count, width) else {
      throw KistError(.damaged, "the product of \(shape) overflows")
    }
    guard offset >= 0, steps.allSatisfy({ $0 >= 0 }) else { throw KistError(.damaged, "an offset or step is negative") }
    (self.width, self.swapWidth, self.offset, self.byteCount) = (width, swapWidth, offset, byteCount)
    guard count > 0 else {
      (sizes, self.steps, extent) = ([], [], 0..<0)
      return
    }
    var end: Int? = sum(offset, width)
    for (size, step) in zip(shape.dimensions, steps) {
      end = product(size - 1, step).flatMap { product($0, width) }.flatMap { steps in end.flatMap { sum($0, steps) } }
    }
    guard let end, end <= available else {
      throw KistError(
        .damaged, "elements of \(shape) with steps \(steps) lie past the \(available) bytes that are there")
    }
    extent = offset..<end
    (sizes, self.steps) = ElementLayout.joined(shape.dimensions, steps.map { $0 * width })
  }

  /// Elements one after the other, the last dimension fastest.
  package init(rowMajor shape: Shape, width: Int, swapWidth: Int = 1, offset: Int, available: Int) throws(KistError) {
    try self.init(
      shape: shape, steps: try packedSteps(shape.dimensions.reversed()).reversed(), width: width, swapWidth: swapWidth,
      offset: offset, available: available)
  }

  /// Elements one after the other, the first dimension fastest, as in Fortran.
  package init(columnMajor shape: Shape, width: Int, swapWidth: Int = 1, offset: Int, available: Int) throws(KistError)
  {
    try self.init(
      shape: shape, steps: try packedSteps(shape.dimensions), width: width, swapWidth: swapWidth, offset: offset,
      available: available)
  }

  /// Whether the bytes are the content as it is.
  var isPlain: Bool { swapWidth == 1 && (sizes.isEmpty || sizes.count == 1 && steps[0] == width) }

  /// Leaves out dimensions of one element, and makes one of neighbours that lie in one run.
  private static func joined(_ sizes: [Int], _ steps: [Int]) -> ([Int], [Int]) {
    var joined: (sizes: [Int], steps: [Int]) = ([], [])
    for (size, step) in zip(sizes, steps) where size > 1 {
      if let outer = joined.steps.last, let run = product(size, step), run == outer {
        joined.sizes[joined.sizes.count - 1] *= size
        joined.steps[joined.steps.count - 1] = step
      } else {
        joined.sizes.append(size)
        joined.steps.append(step)
      }
    }
    return joined
  }
}

/// Steps of elements without gaps, for sizes from the fastest on.
private func packedSteps(_ sizes: some Sequence<Int>) throws(KistError) -> [Int] {
  var steps: [Int] = []
  var step = 1
  for size in sizes {
    steps.append(step)
    guard let next = product(step, max(size, 1)) else { throw KistError(.damaged, "the product of sizes overflows") }
    step = next
  }
  return steps
}

private func product(_ a: Int, _ b: Int) -> Int? {
  let (value, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? nil : value
}

private func sum(_ a: Int, _ b: Int) -> Int? {
  let (value, overflow) = a.addingReportingOverflow(b)
  return overflow ? nil : value
}
