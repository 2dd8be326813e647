import KistCore
import Testing

@Suite struct ShapeTests {
  @Test(
    arguments: [
      ([], 1), ([5], 5), ([2, 3, 4], 24), ([0], 0), ([3, 0, 5], 0), ([1, 2, 3, 4, 5], 120), ([2, 2, 2, 2, 2, 2, 0], 0),
      ([.max], .max), ([.max, 1], .max), ([.max, 2], nil), ([1 << 32, 1 << 32], nil), ([0, .max, .max], 0),
      ([.max, .max, 0], nil), ([-1], nil), ([0, -1], nil), ([-1, -1], nil), ([.min], nil),
      ([Int](repeating: 1, count: 64), 1), ([Int](repeating: 2, count: 63), nil),
    ] as [([Int], Int?)])
  func `the elements are counted, unless that overflows on the way`(dimensions: [Int], count: Int?) {
    #expect(Shape(dimensions).elementCount == count)
  }

  @Test(arguments: 0...9)
  func `dimensions are kept at every rank`(rank: Int) {
    let dimensions = (0..<rank).map { $0 * 7 + 1 }
    let shape = Shape(dimensions)
    #expect(shape.rank == rank)
    #expect(shape.dimensions == dimensions)
    #expect((0..<rank).map { shape[$0] } == dimensions)
    #expect(shape == Shape(rank: rank) { dimensions[$0] })
    #expect(shape.hashValue == Shape(dimensions).hashValue)
    #expect(shape != Shape(dimensions + [1]))
    #expect(shape != Shape(dimensions + [0]))
    for index in 0..<rank {
      var other = dimensions
      other[index] += 1
      #expect(shape != Shape(other))
    }
  }

  @Test func `a shape shows as a list`() {
    #expect("\([512, 64] as Shape)" == "[512, 64]")
    #expect("\([] as Shape)" == "[]")
    #expect("\([1, 2, 3, 4, 5] as Shape)" == "[1, 2, 3, 4, 5]")
  }
}
