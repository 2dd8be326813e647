/// Chooses one option for each item so that sizes and damages add up well: a multiple-choice knapsack.
///
/// Of each item only the options on the lower convex hull of (size, damage) count; from the smallest of all, steps to the next option are
/// taken in the order of the damage that they save for a byte. That is the best choice for every size that it passes through, and
/// depends on nothing but the options.
///
/// - Source: Sinha and Zoltners, "The multiple-choice knapsack problem", Operations Research 27 (1979).
public struct BudgetSolver: Sendable {
  public struct Option: Sendable, Equatable {
    public var byteCount: Int
    /// What it costs, in any unit that adds up.
    public var damage: Double

    public init(byteCount: Int, damage: Double) {
      self.byteCount = byteCount
      self.damage = damage
    }
  }

  private struct Step {
    var item: Int
    /// Place on the item's hull that it leads to.
    var place: Int
    var byteCount: Int
    var saving: Double
    var rate: Double { saving / Double(byteCount) }
  }

  private let items: [[Option]]
  /// Indices of options, the smallest first.
  private let hulls: [[Int]]
  private let steps: [Step]

  /// - Parameter items: The options of each, at least one.
  public init(_ items: [[Option]]) {
    self.items = items
    hulls = items.map(BudgetSolver.hull)
    var steps: [Step] = []
    for (item, hull) in hulls.enumerated() {
      for place in hull.indices.dropFirst() {
        let (from, to) = (items[item][hull[place - 1]], items[item][hull[place]])
        steps.append(
          Step(
            item: item, place: place, byteCount: to.byteCount - from.byteCount, saving: from.damage - to.damage))
      }
    }
    // Of equal rates the earlier item, and within an item the order of its hull.
    self.steps = steps.enumerated().sorted { a, b in
      a.element.rate == b.element.rate ? a.offset < b.offset : a.element.rate > b.element.rate
    }.map(\.element)
  }

  /// Bytes of the smallest choice.
  public var smallest: Int { zip(items, hulls).reduce(0) { $0 + ($1.0.isEmpty ? 0 : $1.0[$1.1[0]].byteCount) } }

  /// The least damage within a size; nil when nothing is as small. An index for each item.
  public func choice(ofAtMost byteCount: Int) -> [Int]? {
    guard smallest <= byteCount else { return nil }
    var left = byteCount - smallest
    var places = items.map { _ in 0 }
    for step in steps where step.place == places[step.item] + 1 && step.byteCount <= left {
      places[step.item] = step.place
      left -= step.byteCount
    }
    return indices(places)
  }

  /// The smallest choice within a damage; the least damage when nothing is as good.
  public func choice(damagingAtMost limit: Double) -> [Int] {
    var damage = zip(items, hulls).reduce(0) { $0 + $1.0[$1.1[0]].damage }
    var places = items.map { _ in 0 }
    var taken: [Step] = []
    for step in steps where damage > limit {
      places[step.item] = step.place
      damage -= step.saving
      taken.append(step)
    }
    // The last steps save least: those that were not needed after all are taken back.
    for step in taken.reversed() where places[step.item] == step.place && damage + step.saving <= limit {
      places[step.item] = step.place - 1
      damage += step.saving
    }
    return indices(places)
  }

  /// What a choice comes to.
  public func total(of choice: [Int]) -> Option {
    zip(items, choice).reduce(into: Option(byteCount: 0, damage: 0)) { sum, chosen in
      sum.byteCount += chosen.0[chosen.1].byteCount
      sum.damage += chosen.0[chosen.1].damage
    }
  }

  private func indices(_ places: [Int]) -> [Int] { zip(hulls, places).map { $0[$1] } }

  /// The options that no mixture of two others beats, the smallest first: each larger one does less damage, and saves less for a byte
  /// than the one before.
  private static func hull(_ options: [Option]) -> [Int] {
    let order = options.indices.sorted { a, b in
      (options[a].byteCount, options[a].damage, a) < (options[b].byteCount, options[b].damage, b)
    }
    var hull: [Int] = []
    for index in order {
      let option = options[index]
      if let last = hull.last, option.damage >= options[last].damage { continue }
      while hull.count > 1 {
        let (before, last) = (options[hull[hull.count - 2]], options[hull[hull.count - 1]])
        let step = (before.damage - last.damage) * Double(option.byteCount - last.byteCount)
        guard step <= (last.damage - option.damage) * Double(last.byteCount - before.byteCount) else { break }
        hull.removeLast()
      }
      if let last = hull.last, options[last].byteCount == option.byteCount { hull.removeLast() }
      hull.append(index)
    }
    return hull
  }
}
