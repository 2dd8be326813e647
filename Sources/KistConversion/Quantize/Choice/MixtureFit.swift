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
  private static let mostTries = 4
  /// So full is full enough.
  private static let enough = 0.995

  /// - Throws: `invalid`, saying the smallest length, when nothing fits.
  func choice(ofAtMost limit: Int) throws(KistError) -> MixtureChoice {
    var sizes = chooser.groups.map { $0.candidates.map(\.byteCount) }
    var rest = chooser.otherByteCount
    var best: MixtureChoice?
    var tried: Set<[Int]> = []
    while tried.count < Self.mostTries {
      let solver = chooser.solver(sizes)
      // Bounds may be far above what is packed: the smallest is tried where nothing seems to fit.
      guard let choice = solver.choice(ofAtMost: max(limit - rest, solver.smallest)), tried.insert(choice).inserted
      else { break }
      var result = chooser.result(choice, solver)
      let packed = try measure(result)
      result.prediction.byteCount = packed.byteCount
      if packed.byteCount <= limit, result.damage < best?.damage ?? .infinity { best = result }
      if packed.byteCount <= limit, Double(packed.byteCount) >= Self.enough * Double(limit) { break }
      rest = packed.byteCount - learn(choice, packed.tensors, &sizes)
    }
    if let best { return best }
    return try smallest(limit, chooser.solver(sizes))
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

  /// Takes note of what a choice's tensors take, and expects other types of the same tensors to pack as well.
  ///
  /// - Returns: bytes of all of them.
  private func learn(_ choice: [Int], _ stored: [Int], _ sizes: inout [[Int]]) -> Int {
    var sum = 0
    for (index, group) in chooser.groups.enumerated() {
      let own = group.members.reduce(0) { $0 + stored[$1] }
      sum += own
      let taken = group.candidates[choice[index]]
      let ratio = Double(own) / Double(max(1, taken.byteCount))
      for (place, candidate) in group.candidates.enumerated()
      where candidate.type.isBlockType == taken.type.isBlockType {
        // What is known stays.
        guard place == choice[index] || sizes[index][place] == candidate.byteCount else { continue }
        sizes[index][place] = place == choice[index] ? own : Int((ratio * Double(candidate.byteCount)).rounded(.up))
      }
    }
    return sum
  }
}
