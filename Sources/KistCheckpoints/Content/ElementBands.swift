import Foundation
import KistCore
import Synchronization

/// Parts of a large tensor whose elements lie far apart, gathered ahead of being asked for.
///
/// One row of a transposed matrix has an element on every page of it. So many rows at a time are gathered, in the order in which they lie in
/// the file, and kept while they are read: each page comes into memory once for all of them, and leaves it right away.
final class ElementBands: Sendable {
  /// Elements of some indices of one dimension, with all of the dimensions after it.
  @safe private final class Band: @unchecked Sendable {
    let elements: Range<Int>
    // Written before it is shared, never after.
    let bytes: UnsafeMutableRawBufferPointer

    private let isMapped: Bool

    /// Mapped, so that its memory goes back to the system with it: of pieces this large that were freed, the heap keeps many.
    init(_ elements: Range<Int>, width: Int) {
      self.elements = elements
      let byteCount = elements.count * width
      let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      isMapped = unsafe mapped != MAP_FAILED
      unsafe bytes =
        isMapped
        ? UnsafeMutableRawBufferPointer(start: mapped, count: byteCount)
        : .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit {
      if isMapped { unsafe munmap(bytes.baseAddress, bytes.count) } else { unsafe bytes.deallocate() }
    }
  }

  private let layout: ElementLayout
  /// The dimension that is cut, how many of its indices a band has, and the elements of one index.
  private let axis: Int
  private let indexCount: Int
  private let elementsPerIndex: Int
  /// The latest two: readers work on several parts at a time, which a boundary may lie between.
  private let held = Mutex<[Band]>([])

  private static let bandByteCount = 16 << 20
  /// How much of the file may be in memory behind the gathering.
  private static let releaseByteCount = 8 << 20

  /// - Parameter layout: One that is not plain, and has elements.
  init(_ layout: ElementLayout) {
    self.layout = layout
    var axis = layout.sizes.count - 1
    var inner = 1
    while axis > 0, inner * layout.sizes[axis] * layout.width <= Self.bandByteCount {
      inner *= layout.sizes[axis]
      axis -= 1
    }
    self.axis = axis
    elementsPerIndex = inner
    indexCount = max(1, min(layout.sizes[axis], Self.bandByteCount / (inner * layout.width)))
  }

  func forget() { held.withLock { $0 = [] } }

  /// Copies elements, in row-major order.
  func copy(_ elements: Range<Int>, from part: MappedPart, into output: UnsafeMutableRawBufferPointer) {
    let width = layout.width
    var at = elements.lowerBound
    while at < elements.upperBound {
      let band = band(containing: at, from: part)
      let end = min(band.elements.upperBound, elements.upperBound)
      let start = (at - band.elements.lowerBound) * width
      let source = unsafe UnsafeRawBufferPointer(rebasing: band.bytes[start..<start + (end - at) * width])
      let target = (at - elements.lowerBound) * width
      unsafe UnsafeMutableRawBufferPointer(rebasing: output[target...]).copyMemory(from: source)
      at = end
    }
  }

  private func band(containing element: Int, from part: MappedPart) -> Band {
    held.withLock { held in
      if let band = held.first(where: { $0.elements.contains(element) }) { return band }
      let perOuter = layout.sizes[axis] * elementsPerIndex
      let outer = element / perOuter
      let first = element % perOuter / elementsPerIndex / indexCount * indexCount
      let count = min(indexCount, layout.sizes[axis] - first)
      let start = outer * perOuter + first * elementsPerIndex
      let band = Band(start..<start + count * elementsPerIndex, width: layout.width)
      fill(band, outer: outer, indices: first..<first + count, from: part)
      held = held.suffix(1) + [band]
      return band
    }
  }

  /// A dimension of a band: how many, and the steps in file and band, in bytes.
  private struct Dimension {
    var count: Int
    var source: Int
    var target: Int
  }

  private func fill(_ band: Band, outer: Int, indices: Range<Int>, from part: MappedPart) {
    var start = layout.offset + indices.lowerBound * layout.steps[axis]
    var rest = outer
    for place in (0..<axis).reversed() {
      start += rest % layout.sizes[place] * layout.steps[place]
      rest /= layout.sizes[place]
    }
    var dimensions: [Dimension] = []
    var target = layout.width
    for place in (axis..<layout.sizes.count).reversed() {
      let count = place == axis ? indices.count : layout.sizes[place]
      dimensions.append(Dimension(count: count, source: layout.steps[place], target: target))
      target *= count
    }
    dimensions.sort { $0.source > $1.source }
    let inner = dimensions.removeLast()
    guard let bytes = unsafe part.pointer.baseAddress, let gathered = unsafe band.bytes.baseAddress else { return }
    var released = start
    forEachRun(dimensions) { source, target in
      unsafe layout.copyRun(
        of: inner.count, from: bytes + start + source, step: inner.source, to: gathered + target, step: inner.target)
      if start + source - released > Self.releaseByteCount {
        part.release(released..<start + source)
        released = start + source
      }
    }
    part.release(released..<layout.extent.upperBound)
    unsafe layout.swapBytes(band.bytes)
  }

  /// Calls `body` with the places in file and band of every combination of indices, those of the file ascending.
  private func forEachRun(_ dimensions: [Dimension], _ body: (Int, Int) -> Void) {
    var position = [Int](repeating: 0, count: dimensions.count)
    var (source, target) = (0, 0)
    while true {
      body(source, target)
      var place = dimensions.count - 1
      while place >= 0 {
        position[place] += 1
        source += dimensions[place].source
        target += dimensions[place].target
        if position[place] < dimensions[place].count { break }
        source -= dimensions[place].count * dimensions[place].source
        target -= dimensions[place].count * dimensions[place].target
        position[place] = 0
        place -= 1
      }
      if place < 0 { return }
    }
  }
}
