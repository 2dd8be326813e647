import KistCore
import KistInference

/// What `kist verify --against` and `--golden` find: what their `--json` prints. docs/json.md describes every field.
public struct JudgmentReport: Sendable, Encodable {
  /// The version of this schema.
  public var schema = 1
  public var path: String
  public var verdict: Verdict
  public var bisection: BisectionReport?
  public var seconds: Double

  public init(path: String, verdict: Verdict, bisection: BisectionReport?, seconds: Double) {
    self.path = path
    self.verdict = verdict
    self.bisection = bisection
    self.seconds = seconds
  }
}

/// Where a model begins to compute something else.
public struct BisectionReport: Sendable, Encodable {
  /// Steps that were compared.
  public var stepCount: Int
  /// The first step whose error rounding does not explain.
  public var first: Step?
  /// The step with the largest error for what explains it.
  public var worst: Step?

  public struct Step: Sendable, Encodable {
    public var step: String
    /// Names in the file.
    public var tensors: [String]
    public var error: Double
    public var explained: Double
    public var problem: String?
  }

  enum CodingKeys: String, CodingKey {
    case first, worst
    case stepCount = "steps"
  }

  public init(_ bisection: Bisection) {
    func step(_ finding: Bisection.Finding?) -> Step? {
      finding.map {
        Step(step: $0.step, tensors: $0.tensors, error: $0.error, explained: $0.explained, problem: $0.problem)
      }
    }
    stepCount = bisection.stepCount
    first = step(bisection.first)
    worst = step(bisection.worst)
  }
}
