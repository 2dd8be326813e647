import Foundation
import KistArchitectures
import KistCore

/// Finds the first step of a model that computes something else than a reference's.
///
/// Each step is given the reference's own input, so that an error shows where it arises and nowhere else.
public struct Bisection: Sendable {
  /// A step's isolated error.
  public struct Finding: Sendable {
    /// `layers.3.query`.
    public var step: String
    /// What the candidate's file calls the step's tensors.
    public var tensors: [String]
    /// √(Σ(a − b)² / Σb²).
    public var error: Double
    /// What rounding of its weights explains.
    public var explained: Double
    /// When the steps do not have the same shape or one has no such step.
    public var problem: String?
  }

  public private(set) var stepCount = 0
  /// The first step that rounding does not explain.
  public private(set) var first: Finding?
  /// The step of the largest error in proportion to what is explained.
  public private(set) var worst: Finding?

  /// - Throws: what computing throws.
  public init(
    _ candidate: WeightTable, against reference: WeightTable, tokens: [Int], tokenTypes: [Int]? = nil,
    parallelism: Parallelism
  ) throws(KistError) {
    let own = try Session(candidate, parallelism: parallelism)
    let session = try Session(reference, parallelism: parallelism)
    let steps = Dictionary((own.program.body + own.program.head).map { ($0.name, $0) }) { first, _ in first }
    let context = own.context([tokens], tokenTypes.map { [$0] })
    var result = Bisection()
    let observer: Session.Observer = { step, inputs, output throws(KistError) in
      guard result.first == nil else { return }
      result.stepCount += 1
      let finding = try Bisection.examine(step, steps[step.name], inputs, output, own, context, reference)
      if finding.problem != nil || !(finding.error <= finding.explained) { result.first = finding }
      let ratio = result.worst.map { $0.error / $0.explained } ?? -1
      if finding.error / finding.explained > ratio { result.worst = finding }
    }
    let states = try session.advance(texts: [tokens], tokenTypes: tokenTypes.map { [$0] }, observer: observer)
    if reference.model.head.hasLogits { _ = try session.logits(states, observer: observer) }
    if result.first == nil, let extra = Bisection.missing(own.program, session.program) { result.first = extra }
    self = result
  }

  private init() {}

  private static func examine(
    _ step: Step, _ own: Step?, _ inputs: [Matrix], _ expected: Matrix, _ session: Session, _ context: StepContext,
    _ reference: WeightTable
  ) throws(KistError) -> Finding {
    guard let own, own.inputs == step.inputs else {
      return Finding(
        step: step.name, tensors: [], error: .infinity, explained: 0, problem: "the candidate has no such step")
    }
    let tensors = own.tensors.prefix(4).compactMap { session.weights.fileName(of: $0) }
    let fits = try session.accepts(own, inputs)
    guard fits else {
      return Finding(
        step: step.name, tensors: tensors, error: .infinity, explained: 0, problem: "takes another shape")
    }
    let output = try session.evaluate(own, inputs, context, preservingInputs: true)
    guard output.rowCount == expected.rowCount, output.columnCount == expected.columnCount else {
      return Finding(
        step: step.name, tensors: tensors, error: .infinity, explained: 0, problem: "gives another shape")
    }
    return Finding(
      step: step.name, tensors: tensors, error: relativeError(output, expected),
      explained: explained(own, session.weights, reference))
  }

  /// The first step that only the candidate has.
  private static func missing(_ candidate: Program, _ reference: Program) -> Finding? {
    let known = Set((reference.body + reference.head).map(\.name))
    return (candidate.body + candidate.head).first { !known.contains($0.name) }.map {
      Finding(step: $0.name, tensors: [], error: .infinity, explained: 0, problem: "the reference has no such step")
    }
  }

  static func relativeError(_ output: Matrix, _ expected: Matrix) -> Double {
    let (a, b) = (output.numbers(), expected.numbers())
    var (difference, size) = (0.0, 0.0)
    for (value, reference) in zip(a, b) {
      guard value.isFinite else { return .infinity }
      difference += pow(Double(value) - Double(reference), 2)
      size += Double(reference) * Double(reference)
    }
    return size == 0 ? (difference == 0 ? 0 : .infinity) : (difference / size).squareRoot()
  }

  /// The relative error that the rounding of a step's weights can explain.
  static func explained(_ step: Step, _ candidate: WeightTable, _ reference: WeightTable) -> Double {
    // Sums in another order.
    var most = 1e-5
    for key in step.tensors {
      guard let own = candidate.dtype(of: key), own != reference.dtype(of: key) else { continue }
      most = max(most, roundingError(own))
    }
    return most
  }

  /// About twice the relative error of weights that were rounded to a dtype.
  private static func roundingError(_ dtype: DType) -> Double {
    switch dtype {
    case .f32, .f64: 1e-5
    case .f16: 1e-3
    case .bf16: 6e-3
    case .q8_0: 2e-2
    case .f8e4m3: 8e-2
    // A bit less doubles the error; 8 bits have half a percent.
    default: min(0.9, 0.01 * pow(2, 8.5 - dtype.meanBitsPerElement))
    }
  }
}

extension Session {
  /// Whether a step's weights go with the shapes of its inputs.
  func accepts(_ step: Step, _ inputs: [Matrix]) throws(KistError) -> Bool {
    switch step.operation {
    case .linear: return try weights.parts(step.tensors[0])[0].columnCount == inputs[0].columnCount
    case .norm(_, _, let part):
      guard let key = step.tensors.first else { return true }
      let count = try weights.vector(key).count
      switch part {
      case .row, .eachHead: return count == inputs[0].columnCount
      case .heads(let size): return count == size && inputs[0].columnCount % size == 0
      }
    case .attend(let attention):
      return inputs[0].columnCount == attention.queryWidth && inputs[1].columnCount == attention.keyWidth
        && inputs[2].columnCount == attention.valueWidth
    case .rotate(_, _, let heads):
      return inputs[0].columnCount >= heads.offset + (heads.count - 1) * heads.stride
    default: return true
    }
  }
}
