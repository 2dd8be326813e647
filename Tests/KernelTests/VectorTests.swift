import TestSupport
import Testing

/// Sums, products and rotations of vectors, beside the plain loops that define them.
@Suite struct VectorTests {
  @Test(arguments: Clone.all) func `a dot product is the sum of the products`(clone: Clone) {
    var random = SeededGenerator(seed: 31)
    for length in edgeLengths {
      let (a, b) = (random.weights(length, deviation: 1), random.weights(length, deviation: 1))
      let products = zip(a, b).map { Double($0) * Double($1) }
      let error = Double(clone.dot(a, b)) - products.reduce(0, +)
      #expect(abs(error) <= 3e-7 * products.reduce(0) { $0 + abs($1) })
      #expect(clone.dot(a, b) == Clone.all[0].dot(a, b))
    }
    #expect(clone.dot([.infinity, 1], [1, 1]) == .infinity)
    #expect(clone.dot([.infinity, 1], [0, 1]).isNaN)
  }

  @Test(arguments: Clone.all) func `elements are added, scaled and multiplied with one rounding a step`(clone: Clone) {
    var random = SeededGenerator(seed: 32)
    for length in edgeLengths {
      let (x, y) = (random.weights(length, deviation: 1), random.weights(length, deviation: 1))
      #expect(clone.accumulate(.add, y, x) == zip(y, x).map { $0 + $1 })
      #expect(clone.accumulate(.multiply, y, x) == zip(y, x).map { $0 * $1 })
      #expect(clone.scaled(y, by: 0.3) == y.map { $0 * 0.3 })
      #expect(clone.addScaled(y, x, 0.3) == zip(y, x).map { $0 + $1 * 0.3 })
      #expect(clone.doubled(y) == y.map { $0 + $0 })
    }
  }

  @Test(arguments: Clone.all) func `pairs are rotated, of halves or of neighbours`(clone: Clone) {
    var random = SeededGenerator(seed: 33)
    for pairs in edgeLengths {
      let (cosines, sines) = (random.weights(pairs, deviation: 1), random.weights(pairs, deviation: 1))
      let head = random.weights(2 * pairs, deviation: 1)
      var (halves, neighbours) = (head, head)
      for i in 0..<pairs {
        rotate(&halves, i, i + pairs, cosines[i], sines[i])
        rotate(&neighbours, 2 * i, 2 * i + 1, cosines[i], sines[i])
      }
      #expect(clone.rotate(.half, head, cosines, sines) == halves)
      #expect(clone.rotate(.interleaved, head, cosines, sines) == neighbours)
    }
  }

  private func rotate(_ x: inout [Float], _ first: Int, _ second: Int, _ cosine: Float, _ sine: Float) {
    let (a, b) = (x[first], x[second])
    x[first] = a * cosine - b * sine
    x[second] = b * cosine + a * sine
  }
}
