import KistQuantization
import Testing

struct BudgetSolverTests {
  private typealias Option = BudgetSolver.Option

  private func items(_ generator: inout Seeded) -> [[Option]] {
    (0..<5).map { _ in
      (0..<4).map { _ in
        Option(byteCount: .random(in: 1...40, using: &generator), damage: .random(in: 0...1, using: &generator))
      }
    }
  }

  /// Every way to choose.
  private func totals(_ items: [[Option]]) -> [Option] {
    items.reduce([Option(byteCount: 0, damage: 0)]) { sums, options in
      sums.flatMap { sum in
        options.map { Option(byteCount: sum.byteCount + $0.byteCount, damage: sum.damage + $0.damage) }
      }
    }
  }

  @Test(arguments: 0..<20) func `a choice fits, and is within one step of the best`(seed: Int) throws {
    var generator = Seeded(seed: UInt64(seed))
    let items = items(&generator)
    let solver = BudgetSolver(items)
    let totals = totals(items)
    #expect(solver.smallest == totals.map(\.byteCount).min())
    let largestStep = items.flatMap { $0.map(\.damage) }.max() ?? 0
    for budget in stride(from: solver.smallest, through: 200, by: 7) {
      let choice = try #require(solver.choice(ofAtMost: budget))
      let total = solver.total(of: choice)
      let best = try #require(totals.filter { $0.byteCount <= budget }.map(\.damage).min())
      #expect(total.byteCount <= budget)
      #expect(total.damage <= best + largestStep)
    }
    #expect(solver.choice(ofAtMost: solver.smallest - 1) == nil)
  }

  @Test(arguments: 0..<20) func `more room never means more damage`(seed: Int) throws {
    var generator = Seeded(seed: UInt64(seed))
    let solver = BudgetSolver(items(&generator))
    let small = solver.total(of: try #require(solver.choice(ofAtMost: solver.smallest)))
    let large = solver.total(of: try #require(solver.choice(ofAtMost: 1000)))
    #expect(large.damage <= small.damage)
    // Given room for all, nothing is left to gain.
    #expect(solver.total(of: solver.choice(damagingAtMost: 0)) == large)
  }

  @Test func `bytes go where they save most`() throws {
    let solver = BudgetSolver([
      [Option(byteCount: 10, damage: 1), Option(byteCount: 20, damage: 0.9)],
      [Option(byteCount: 10, damage: 1), Option(byteCount: 20, damage: 0.1)],
    ])
    #expect(solver.choice(ofAtMost: 30) == [0, 1])
    #expect(solver.choice(damagingAtMost: 1.1) == [0, 1])
    #expect(solver.choice(ofAtMost: 40) == [1, 1])
  }

  @Test func `an option that mixing two others beats is not taken`() throws {
    let solver = BudgetSolver([
      [Option(byteCount: 10, damage: 10), Option(byteCount: 20, damage: 9), Option(byteCount: 30, damage: 0)]
    ])
    #expect(solver.choice(ofAtMost: 25) == [0])
    #expect(solver.choice(ofAtMost: 30) == [2])
  }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
  var seed: UInt64

  mutating func next() -> UInt64 {
    seed &+= 0x9E37_79B9_7F4A_7C15
    var z = seed
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
