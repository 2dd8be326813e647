import KistCore
import KistQuantization

/// What a quantization does to a model: what `kist quantize --json` prints. docs/json.md describes every field.
public struct QuantizationReport: Sendable, Encodable {
  /// The version of this schema.
  public var schema = 1
  public var source: String
  public var target: String
  public var targetFormat: String
  public var type: String
  public var tensors: [TensorSide]
  /// By what tensors become, the most bytes first.
  public var types: [TypeTotal]
  public var parameterCount: Int
  public var bitsPerWeight: Double
  public var sourceBitsPerWeight: Double
  /// Bytes of all tensors.
  public var tensorByteCount: Int
  /// What a chosen mixture was expected to come to; nil of a given type.
  public var prediction: MixturePrediction?
  public var notices: [String]
  /// Nil of what was only planned, as the following.
  public var byteCount: Int?
  public var verdict: Verdict?
  public var rejectedPath: String?
  /// Of a set, its files.
  public var files: [String]?
  public var writingSeconds: Double?
  public var judgingSeconds: Double?

  /// What became of a tensor.
  public struct TensorSide: Sendable, Encodable {
    public var name: String
    public var shape: [Int]
    public var sourceType: String
    public var type: String
    public var byteCount: Int
    public var bitsPerWeight: Double
    /// Nil of a tensor that stayed as it was, and of what was only planned.
    public var nmse: Double?
    public var maximumDifference: Double?
    public var note: String?

    enum CodingKeys: String, CodingKey {
      case name, shape, type, nmse, note
      case sourceType = "source_type"
      case byteCount = "bytes"
      case bitsPerWeight = "bits_per_weight"
      case maximumDifference = "max_difference"
    }
  }

  /// All tensors of a type.
  public struct TypeTotal: Sendable, Encodable {
    public var type: String
    public var tensorCount: Int
    public var parameterCount: Int
    public var byteCount: Int
    /// Bytes that they take in a container that was written; nil elsewhere.
    public var storedByteCount: Int?
    /// Over all numbers of the tensors that were changed; nil when none was.
    public var nmse: Double?
    public var maximumDifference: Double?

    enum CodingKeys: String, CodingKey {
      case type, nmse
      case tensorCount = "tensors"
      case parameterCount = "parameters"
      case byteCount = "bytes"
      case storedByteCount = "stored_bytes"
      case maximumDifference = "max_difference"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, source, target, type, tensors, types, notices, verdict, files
    case prediction = "predicted"
    case targetFormat = "target_format"
    case parameterCount = "parameters"
    case bitsPerWeight = "bits_per_weight"
    case sourceBitsPerWeight = "source_bits_per_weight"
    case tensorByteCount = "tensor_bytes"
    case byteCount = "bytes"
    case rejectedPath = "rejected"
    case writingSeconds = "writing_seconds"
    case judgingSeconds = "judging_seconds"
  }

  /// - Parameter outcome: nil for what was only planned.
  /// - Throws: what opening the container that was written throws.
  public init(_ quantization: Quantization, _ outcome: Quantization.Outcome? = nil) throws(KistError) {
    source = quantization.source.path
    target = quantization.target
    targetFormat = quantization.conversion.targetFormat.rawValue
    type = quantization.typeName
    prediction = quantization.prediction
    let plans = quantization.tensors
    tensors = plans.map { TensorSide($0, isMeasured: outcome != nil) }
    types = TypeTotal.totals(of: plans, isMeasured: outcome != nil)
    parameterCount = plans.reduce(0) { $0 + $1.tensor.elementCount }
    let weights = Double(max(1, parameterCount))
    tensorByteCount = plans.reduce(0) { $0 + $1.result.byteCount }
    bitsPerWeight = 8 * Double(tensorByteCount) / weights
    sourceBitsPerWeight = 8 * Double(plans.reduce(0) { $0 + $1.tensor.byteCount }) / weights
    notices = outcome?.notices ?? quantization.notices
    byteCount = outcome?.byteCount
    verdict = outcome?.verdict
    rejectedPath = outcome?.rejectedPath
    files = outcome.flatMap { $0.files.isEmpty ? nil : $0.files }
    writingSeconds = outcome?.writingSeconds
    judgingSeconds = outcome?.judgingSeconds
    guard outcome != nil, quantization.conversion.targetFormat == .kist else { return }
    for stored in try DTypeTotal.totals(of: Checkpoint.open(path: rejectedPath ?? target)) {
      guard let index = types.firstIndex(where: { $0.type == stored.dtype }) else { continue }
      types[index].storedByteCount = stored.storedByteCount
    }
  }
}

extension QuantizationReport.TensorSide {
  fileprivate init(_ plan: TensorPlan, isMeasured: Bool) {
    name = plan.tensor.name
    shape = plan.tensor.shape.dimensions
    sourceType = plan.tensor.dtype?.name ?? TensorPlan.unknownType
    type = plan.type?.name ?? TensorPlan.unknownType
    byteCount = plan.result.byteCount
    bitsPerWeight = 8 * Double(byteCount) / Double(max(1, plan.tensor.elementCount))
    note = plan.note
    guard isMeasured, plan.isChanged else { return }
    nmse = plan.loss.nmse
    maximumDifference = plan.loss.maximum
  }
}

extension QuantizationReport.TypeTotal {
  fileprivate static func totals(of plans: [TensorPlan], isMeasured: Bool) -> [Self] {
    let groups = Dictionary(grouping: plans) { $0.type?.name ?? TensorPlan.unknownType }
    return groups.map { name, plans in
      var loss = EncodingLoss()
      for plan in plans where isMeasured && plan.isChanged { loss.add(plan.loss) }
      return Self(
        type: name, tensorCount: plans.count, parameterCount: plans.reduce(0) { $0 + $1.tensor.elementCount },
        byteCount: plans.reduce(0) { $0 + $1.result.byteCount }, nmse: loss.count > 0 ? loss.nmse : nil,
        maximumDifference: loss.count > 0 ? loss.maximum : nil)
    }.sorted { ($0.byteCount, $1.type) > ($1.byteCount, $0.type) }
  }
}
