import KistCheckpoints
import KistCore
import TestSupport
import Testing

/// Elements gathered from where they lie, against the plain way: every index turned into a place.
@Suite struct ElementLayoutTests {
  private struct Case {
    var sizes: [Int]
    var steps: [Int]
    var width: Int
    var swapWidth: Int
    var offset: Int
  }

  private func plainly(_ layout: Case, from bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for number in 0..<layout.sizes.reduce(1, *) {
      var rest = number
      var start = layout.offset
      for axis in layout.sizes.indices.reversed() {
        start += rest % layout.sizes[axis] * layout.steps[axis] * layout.width
        rest /= layout.sizes[axis]
      }
      for part in stride(from: start, to: start + layout.width, by: layout.swapWidth) {
        result += bytes[part..<part + layout.swapWidth].reversed()
      }
    }
    return result
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `elements come in row-major order, whatever the steps`(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: seed)
    let bytes = random.bytes(4096)
    try writeFile(bytes, folder.file("a"))
    let file = try MappedFile(path: folder.file("a"))
    for number in 0..<2000 {
      let width = [1, 2, 4, 8, 16].randomElement(using: &random) ?? 1
      let rank = Int.random(in: 0...4, using: &random)
      let layout = Case(
        sizes: (0..<rank).map { _ in Int.random(in: 1...5, using: &random) },
        steps: (0..<rank).map { _ in Int.random(in: 0...12, using: &random) }, width: width,
        swapWidth: [1, min(width, 8)].randomElement(using: &random) ?? 1, offset: Int.random(in: 0..<32, using: &random)
      )
      let source = ElementSource(
        MappedPart(file, 0..<bytes.count),
        try ElementLayout(
          shape: Shape(layout.sizes), steps: layout.steps, width: width, swapWidth: layout.swapWidth,
          offset: layout.offset, available: bytes.count))
      #expect(try allBytes(of: source) == plainly(layout, from: bytes), "seed \(seed), case \(number): \(layout)")
    }
  }

  /// Large ones are gathered many rows at a time, whose seams should not show.
  @Test(arguments: [
    ([5000, 3001], [1, 5000], 2, 1), ([3, 40, 120_000], [40, 1, 120], 1, 1), ([2, 5_000_000], [1, 2], 4, 4),
    ([2_600_001], [1], 8, 8), ([70, 50, 3000], [150_000, 1, 50], 2, 2), ([9, 1_200_000], [1_200_000, 1], 2, 2),
  ])
  func `large tensors come in row-major order too`(sizes: [Int], steps: [Int], width: Int, swapWidth: Int) throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 9)
    let count = (zip(sizes, steps).reduce(1) { $0 + ($1.0 - 1) * $1.1 }) * width
    var bytes = [UInt8](repeating: 0, count: count)
    for place in stride(from: 0, to: count, by: 7) { bytes[place] = UInt8.random(in: 0...255, using: &random) }
    try writeFile(bytes, folder.file("a"))
    let file = try MappedFile(path: folder.file("a"))
    let source = ElementSource(
      MappedPart(file, 0..<count),
      try ElementLayout(
        shape: Shape(sizes), steps: steps, width: width, swapWidth: swapWidth, offset: 0, available: count))
    let expected = plainly(
      Case(sizes: sizes, steps: steps, width: width, swapWidth: swapWidth, offset: 0), from: bytes)
    var found: [UInt8] = []
    for start in stride(from: 0, to: source.byteCount, by: 1 << 20) {
      let range = start..<min(start + 1 << 20, source.byteCount)
      try unsafe source.withBytes(range) { unsafe found.append(contentsOf: $0) }
      source.release(range)
    }
    #expect(found == expected)
  }

  @Test func `what would lie outside is refused`() throws {
    func layout(_ shape: Shape, _ steps: [Int], offset: Int = 0) throws -> ElementLayout {
      try ElementLayout(shape: shape, steps: steps, width: 4, offset: offset, available: 64)
    }
    #expect(throws: Never.self) { try layout([4, 4], [4, 1]) }
    #expect(throws: Never.self) { try layout([0, 1 << 40], [1 << 40, 1]) }
    #expect(throws: KistError.self) { try layout([4, 4], [4, 1], offset: 1) }
    #expect(throws: KistError.self) { try layout([4, 5], [4, 1]) }
    #expect(throws: KistError.self) { try layout([2], [Int.max]) }
    #expect(throws: KistError.self) { try layout([Int.max, 2], [0, 0]) }
    #expect(throws: KistError.self) { try layout([1 << 61], [0]) }
    #expect(throws: KistError.self) { try layout([2], [-1]) }
    #expect(throws: KistError.self) { try layout([], [], offset: Int.max) }
    #expect(throws: KistError.self) { try layout([], [], offset: -4) }
  }
}
