import KistCore
import KistFormat
import KistQuantization

/// Finds the best choice of types for a container of a given length. What packs to less leaves room for better types, so that choices are
/// packed, in memory, until one fills the length.
struct MixtureFit {
  let chooser: MixtureChooser
  /// What a choice comes to when it is packed: the whole, and each tensor of the source.
  let measure: (MixtureChoice) throws(KistError) -> (byteCount: Int, tensors: [Int])

  /// Choices that are packed. The second is mostly as good as it gets.
  private static let mostTries = 5
  /// So full is full enough.
  private static let enough = 0.995

  /// - Throws: `invalid`, saying the smallest length, when nothing fits.
  func choice(ofAtMost limit: Int) throws(KistError) -> MixtureChoice {
    // For each group and candidate, what it takes when it is packed.
    var known = chooser.groups.map { group in group.candidates.map { _ in Int?.none } }
    var rest = chooser.otherByteCount
    // Tensors that are not packed begin at multiples of pages: what is between them changes with the choice.
    var margin = 0
    var best: MixtureChoice?
    var tried: Set<[Int]> = []
    while tried.count < Self.mostTries {
      let solver = chooser.solver(expected(known))
      // Bounds may be far above what is packed: the smallest is tried where nothing seems to fit.
      guard let choice = solver.choice(ofAtMost: max(limit - rest - margin, solver.smallest)),
        tried.insert(choice).inserted
      else { break }
      var result = chooser.result(choice, solver)
      let packed = try measure(result)
      result.prediction.byteCount = packed.byteCount
      if packed.byteCount <= limit, result.damage < best?.damage ?? .infinity { best = result }
      if packed.byteCount <= limit, Double(packed.byteCount) >= Self.enough * Double(limit) { break }
      margin = packed.byteCount > limit ? margin + packed.byteCount - limit : margin / 2
      rest = packed.byteCount
      for (index, group) in chooser.groups.enumerated() {
        let own = group.members.reduce(0) { $0 + packed.tensors[$1] }
        known[index][choice[index]] = own
        rest -= own
      }
    }
    if let best { return best }
    return try smallest(limit, chooser.solver(expected(known)))
  }

  private func smallest(_ limit: Int, _ solver: BudgetSolver) throws(KistError) -> MixtureChoice {
    guard let choice = solver.choice(ofAtMost: solver.smallest) else { return chooser.result([], solver) }
    var result = chooser.result(choice, solver)
    result.prediction.byteCount = try measure(result).byteCount
    guard result.prediction.byteCount <= limit else {
      throw chooser.unreachable(limit, smallest: result.prediction.byteCount)
    }
    return result
  }

  /// For each group and candidate what it takes, or as long as nobody knows, what it would if it packed as badly as the worst of the
  /// others. (Of numbers of 16 bits block types tell nothing.)
  private func expected(_ known: [[Int?]]) -> [[Int]] {
    zip(chooser.groups, known).map { group, known in
      let ratios = zip(group.candidates, known).compactMap { candidate, size -> Double? in
        guard candidate.type.isBlockType, let size else { return nil }
        return Double(size) / Double(max(1, candidate.byteCount))
      }
      let worst = ratios.max() ?? 1
      return zip(group.candidates, known).map { candidate, size in
        size
          ?? (candidate.type.isBlockType
            ? Int((worst * Double(candidate.byteCount)).rounded(.up)) : candidate.byteCount)
      }
    }
  }
}
