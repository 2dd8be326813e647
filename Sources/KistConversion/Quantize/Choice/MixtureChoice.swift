import KistCore
import KistInference
import KistQuantization

/// A type for each tensor, chosen by what the model loses.
///
/// Each type's error is measured on some rows of each tensor, columns weighted by their importance. What an error does to the logits is
/// measured with one tensor quantized at a time; it grows with the error's energy, and the divergences of tensors add up. A solver then
/// takes bytes from where they matter least.
struct MixtureChoice {
  /// For each tensor of the view.
  var wanted: [DType]
  var prediction: MixturePrediction
  /// What it costs by the solver's measure.
  var damage: Double
}

/// What a choice of types was expected to come to.
public struct MixturePrediction: Sendable, Equatable, Encodable {
  /// The target's length.
  public var byteCount: Int
  /// Mean KL divergence in nats; nil when it was not measured what tensors do to the logits.
  public var divergence: Double?

  enum CodingKeys: String, CodingKey {
    case byteCount = "bytes"
    case divergence = "kl"
  }
}

/// Finds a choice for a goal.
struct MixtureChooser {
  private let planner: QuantizationPlanner
  let groups: [QuantizableGroup]
  /// For each group and candidate.
  private let damages: [[Double]]
  /// Most bytes of the target beside the groups' tensors.
  let otherByteCount: Int
  /// Compares with the source; nil when that can't be computed, or takes too long.
  private let meter: DivergenceMeter?
  private let texts: [[Int]]

  /// Multiplications that measuring may take when nobody asked for it: about a quarter of an hour on two cores.
  private static let mostWork = 2e13

  /// - Parameter otherByteCount: bytes of the target beside its tensors.
  init(
    _ planner: QuantizationPlanner, otherByteCount: Int, progress: any ProgressObserver
  ) throws(KistError) {
    self.planner = planner
    groups = planner.groups()
    let chosen = Set(groups.flatMap(\.members))
    self.otherByteCount =
      otherByteCount
      + planner.source.tensors.enumerated().reduce(0) { $0 + (chosen.contains($1.offset) ? 0 : $1.element.byteCount) }
    let errors = try MixtureChooser.errors(planner, groups, progress)
    (meter, texts) = try MixtureChooser.meter(planner, groups)
    let rates = try MixtureChooser.rates(planner, groups, errors, meter, progress)
    damages = zip(errors, rates).map { errors, rate in errors.map { $0 * rate } }
  }

  /// - Parameter byteCounts: for each group and candidate.
  func solver(_ byteCounts: [[Int]]) -> BudgetSolver {
    BudgetSolver(
      zip(byteCounts, damages).map { byteCounts, damages in
        zip(byteCounts, damages).map { BudgetSolver.Option(byteCount: $0, damage: $1) }
      })
  }

  /// Of tensors as they are, not packed.
  private var solver: BudgetSolver { solver(groups.map { $0.candidates.map(\.byteCount) }) }

  /// Whether it is known what tensors do to the logits.
  var isMeasured: Bool { meter != nil }

  // MARK: - Goals

  /// The best that fits.
  func choice(ofAtMost byteCount: Int) throws(KistError) -> MixtureChoice {
    let solver = solver
    guard let choice = solver.choice(ofAtMost: byteCount - otherByteCount) else {
      throw unreachable(byteCount, smallest: otherByteCount + solver.smallest)
    }
    return result(choice, solver)
  }

  func unreachable(_ byteCount: Int, smallest: Int) -> KistError {
    KistError(
      .invalid, file: planner.source.path, field: "--target-size",
      "\(Quantity.bytes(byteCount)) can't be reached: the smallest is \(Quantity.bytes(smallest)) (\(smallest) bytes)",
      advice: planner.importance == nil ? "an importance matrix (--imatrix) allows coarser types" : nil)
  }

  /// The smallest whose measured divergence stays below a limit.
  func choice(divergingAtMost limit: Double) throws(KistError) -> MixtureChoice {
    guard let meter else {
      throw KistError(
        .unsupported, file: planner.source.path, "--max-kl needs a model that can be computed",
        advice: "give --type, or --target-size")
    }
    let model = try LoadedModel(planner.source, memory: planner.options.memory)
    let judge =
      texts.reduce(0) { $0 + $1.count } <= meter.positionCount
      ? meter : try DivergenceMeter(model, texts: texts, parallelism: planner.options.conversion.parallelism)
    var best: (choice: [Int], byteCount: Int)?
    let solver = solver
    // The verdict sums in another order.
    let limit = 0.999 * limit
    // Aims whose choices stay below the limit, and do not.
    var (below, above): (Double?, Double?) = (nil, nil)
    var tried: Set<[Int]> = []
    var aim = limit
    for _ in 0..<Self.mostTries {
      let choice = solver.choice(damagingAtMost: aim)
      // Nothing lies between what is too much and what is not.
      guard tried.insert(choice).inserted else { break }
      let measured = try judge.divergence(replacing: try tensors(choice), from: nil)
      let byteCount = solver.total(of: choice).byteCount
      if measured <= limit, byteCount < best?.byteCount ?? .max { best = (choice, byteCount) }
      // Close enough below, or nothing left to gain.
      if measured <= limit, measured >= 0.9 * limit || measured == 0 { break }
      if measured <= limit { below = max(aim, below ?? 0) } else { above = min(aim, above ?? .infinity) }
      if let below, let above {
        aim = (below * above).squareRoot()
      } else {
        aim *= min(8, max(0.125, 0.96 * limit / max(measured, limit / 1000)))
      }
    }
    return result(best?.choice ?? solver.choice(damagingAtMost: 0), solver)
  }

  private static let mostTries = 8

  func result(_ choice: [Int], _ solver: BudgetSolver) -> MixtureChoice {
    var wanted = planner.view.tensors.map(\.dtype)
    for (group, index) in zip(groups, choice) {
      for part in group.parts { wanted[part] = group.candidates[index].type }
    }
    let total = solver.total(of: choice)
    return MixtureChoice(
      wanted: wanted,
      prediction: MixturePrediction(
        byteCount: otherByteCount + total.byteCount, divergence: meter == nil ? nil : total.damage),
      damage: total.damage)
  }

  /// The tensors that a choice changes, made as they are read.
  private func tensors(_ choice: [Int]) throws(KistError) -> [CheckpointTensor] {
    var tensors: [CheckpointTensor] = []
    for (group, index) in zip(groups, choice) {
      tensors += try planner.encoded(group, as: group.candidates[index].type)
    }
    return tensors
  }

  // MARK: - Measuring

  /// For each group and candidate, the relative error.
  private static func errors(
    _ planner: QuantizationPlanner, _ groups: [QuantizableGroup], _ progress: any ProgressObserver
  ) throws(KistError) -> [[Double]] {
    progress.begin("Measuring errors", total: groups.reduce(0) { $0 + $1.byteCount })
    defer { progress.end() }
    var errors = groups.map { _ in [Double]() }
    var next = 0
    try planner.options.conversion.parallelism.inOrder(
      next: { () throws(KistError) -> Int? in
        guard next < groups.count else { return nil }
        defer { next += 1 }
        return next
      },
      produce: { (index) throws(KistError) -> [Double] in try planner.errors(of: groups[index]) },
      consume: { (index, values) throws(KistError) in
        errors[index] = values
        progress.advance(by: groups[index].byteCount)
      })
    return errors
  }

  private static func meter(
    _ planner: QuantizationPlanner, _ groups: [QuantizableGroup]
  ) throws(KistError) -> (DivergenceMeter?, [[Int]]) {
    let options = planner.options
    let isNeeded = if case .divergence = options.goal { true } else { false }
    let model: LoadedModel
    do throws(KistError) { model = try LoadedModel(planner.source, memory: options.memory) } catch {
      guard !isNeeded else { throw error }
      return (nil, [])
    }
    let texts = try VerificationTexts.texts(for: model, of: options.text)
    let positions = min(DivergenceMeter.fewPositions, texts.reduce(0) { $0 + $1.count })
    let weights = planner.source.tensors.reduce(0) { $0 + $1.elementCount }
    let work = Double(weights) * Double(positions) * Double(groups.count) / 2
    guard isNeeded || options.measures || work <= mostWork else { return (nil, texts) }
    return (
      try DivergenceMeter(
        model, texts: texts, most: DivergenceMeter.fewPositions, parallelism: options.conversion.parallelism), texts
    )
  }

  /// For each group, the divergence for a relative error of 1; 1 where that is not measured.
  private static func rates(
    _ planner: QuantizationPlanner, _ groups: [QuantizableGroup], _ errors: [[Double]], _ meter: DivergenceMeter?,
    _ progress: any ProgressObserver
  ) throws(KistError) -> [Double] {
    guard let meter else { return groups.map { _ in 1 } }
    progress.begin("Measuring divergence", total: groups.reduce(0) { $0 + $1.byteCount })
    defer { progress.end() }
    var rates: [Double] = []
    for (group, own) in zip(groups, errors) {
      defer { progress.advance(by: group.byteCount) }
      // A type whose error is neither lost in rounding nor past what is small.
      let usable = own.indices.filter { own[$0] > 0 && own[$0].isFinite }
      guard let probe = usable.min(by: { distance(own[$0]) < distance(own[$1]) }) else {
        rates.append(0)
        continue
      }
      let tensors = try planner.encoded(group, as: group.candidates[probe].type)
      rates.append(try meter.divergence(replacing: tensors, from: group.layer) / own[probe])
    }
    return rates
  }

  /// How far an error is from one that shows well, as a ratio.
  private static func distance(_ error: Double) -> Double { max(error / probeError, probeError / error) }

  /// That of Q3_K on ordinary weights.
  private static let probeError = 0.02
}

extension QuantizationPlanner {
  /// Members that are looked at of a group of experts.
  private static let mostMembers = 4

  func errors(of group: QuantizableGroup) throws(KistError) -> [Double] {
    let step = max(1, group.members.count / Self.mostMembers)
    let members = stride(from: 0, to: group.members.count, by: step).map { group.members[$0] }
    var sums = group.candidates.map { _ in 0.0 }
    for member in members {
      let tensor = source.tensors[member]
      let sample = try ErrorSample(
        of: tensor, importance: importance(of: tensor, view.places[member]), file: source.path)
      for (index, candidate) in group.candidates.enumerated() where candidate.type != tensor.dtype {
        sums[index] += sample.relativeError(as: candidate.type)
      }
    }
    return sums.map { $0 / Double(members.count) }
  }

  /// A group's tensors in a type; none where it is theirs already.
  func encoded(_ group: QuantizableGroup, as type: DType) throws(KistError) -> [CheckpointTensor] {
    var tensors: [CheckpointTensor] = []
    for member in group.members where source.tensors[member].dtype != type {
      let tensor = source.tensors[member]
      tensors.append(
        try tensor.encoded(as: type, importance: importance(of: tensor, view.places[member]), file: source.path))
    }
    return tensors
  }
}
