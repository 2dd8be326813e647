import KistArchitectures
import KistCore
import KistQuantization
import Synchronization

/// The weights of a model: for each that the forward pass asks for, where it lies.
public final class WeightTable: Sendable {
  public let model: ModelDescription
  /// The checkpoint to name in errors.
  public let file: String
  /// Mostly one for each; several where a checkpoint has a tensor's rows in several.
  private let matrices: [TensorKey: [WeightMatrix]]
  private let vectors: VectorCache
  private let memory: MemoryBudget
  /// Bytes of weights that stay in memory once they were read.
  package let keptByteCount: Int
  /// Whether nothing is left to be looked at by ``requireFinite(_:)``.
  let isChecked: Atomic<Bool>

  /// Finds every tensor that a model needs, and checks that it is what the forward pass takes it for.
  ///
  /// - Parameters:
  ///   - memory: What may stay in memory; what does not fit is read again each time.
  ///   - nonfinite: What becomes of a NaN or an infinity, once something is to be computed.
  /// - Throws: `damaged` for a missing tensor, one of another shape, or one that the model does not have; `unsupported` for a dtype
  ///   that can't be computed with.
  public init(
    _ model: ModelDescription, _ tensors: [WeightTensor], file: String, memory: MemoryBudget = MemoryBudget(),
    nonfinite: NonfiniteWeights = .refused
  ) throws(KistError) {
    self.model = model
    isChecked = Atomic(nonfinite == .computed)
    self.file = file
    vectors = VectorCache()
    self.memory = memory
    let spare = SpareRoom()
    var kept = 0
    let placed = tensors.map { tensor in
      let isKept = memory.take(tensor.source.byteCount)
      if isKept { kept += tensor.source.byteCount }
      return tensor.placed(isKept: isKept, spare: spare)
    }
    keptByteCount = kept
    var names = TensorNames(placed, file: file)
    var matrices: [TensorKey: [WeightMatrix]] = [:]
    for key in model.tensorKeys {
      let locations = model.locations(of: key)
      guard !locations.isEmpty else {
        throw KistError(
          .unsupported, file: file, field: "\(key)", "has no name in \(model.architecture.name) checkpoints")
      }
      for location in locations {
        let tensor = try names.find(location.names)
        var scales: WeightTensor?
        if case .mxfp4(let scaleNames, _) = location.encoding { scales = try names.find(scaleNames) }
        matrices[key, default: []].append(try WeightMatrix(tensor, location, scales: scales, file: file))
      }
    }
    self.matrices = matrices
    try WeightTable.checkExtra(tensors, names.used, model, file)
  }

  /// The same weights but for some tensors, which have other numbers under the same name and shape.
  package init(_ other: WeightTable, replacing tensors: [WeightTensor]) throws(KistError) {
    model = other.model
    file = other.file
    vectors = other.vectors
    memory = other.memory
    keptByteCount = 0
    // What a type can't hold shows in what is computed.
    isChecked = Atomic(true)
    let spare = SpareRoom()
    let replaced = Dictionary(tensors.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    var matrices = other.matrices
    for (key, parts) in other.matrices where parts.contains(where: { replaced[Array($0.name.utf8)] != nil }) {
      matrices[key] = try parts.map { part throws(KistError) in
        guard let tensor = replaced[Array(part.name.utf8)] else { return part }
        return try WeightMatrix(tensor.placed(isKept: true, spare: spare), part.location, file: other.file)
      }
    }
    self.matrices = matrices
  }

  deinit { memory.give(keptByteCount) }

  /// Refuses a tensor that nothing reads, since the model might mean something by it.
  private static func checkExtra(
    _ tensors: [WeightTensor], _ used: Set<[UInt8]>, _ model: ModelDescription, _ file: String
  ) throws(KistError) {
    for tensor in tensors where !used.contains(Array(tensor.name.utf8)) && !model.ignores(tensor.name) {
      throw KistError(
        .damaged, file: file, field: "tensor '\(tensor.name)'",
        "is not part of a \(model.architecture.name) model with this configuration")
    }
  }

  public func has(_ key: TensorKey) -> Bool { matrices[key] != nil }

  /// The parts of a matrix in the order of their rows: mostly one.
  func parts(_ key: TensorKey) throws(KistError) -> [WeightMatrix] {
    guard let parts = matrices[key] else { throw KistError(.damaged, file: file, field: "\(key)", "is missing") }
    return parts
  }

  /// A table of rows, which lies in one tensor.
  func table(_ key: TensorKey) throws(KistError) -> WeightMatrix {
    let parts = try parts(key)
    guard parts.count == 1 else {
      throw KistError(.unsupported, file: file, field: "\(key)", "lies in several tensors")
    }
    return parts[0]
  }

  public func dtype(of key: TensorKey) -> DType? { matrices[key]?.first?.storedDType }

  /// The name that the file gives a tensor.
  public func fileName(of key: TensorKey) -> String? { matrices[key]?.first?.name }

  /// All numbers of a small tensor, kept once read.
  func vector(_ key: TensorKey) throws(KistError) -> [Float] {
    if let known = vectors[key] { return known }
    var values: [Float] = []
    for part in try parts(key) { values += try part.numbers() }
    vectors[key] = values
    return values
  }

  /// The numbers of a tensor that may not be there: a bias.
  func vectorIfPresent(_ key: TensorKey) throws(KistError) -> [Float]? {
    has(key) ? try vector(key) : nil
  }
}

/// The tensors of a checkpoint by name, and which of them were found to be of use.
private struct TensorNames {
  private let tensors: [[UInt8]: WeightTensor]
  private let file: String
  private(set) var used: Set<[UInt8]> = []

  init(_ tensors: [WeightTensor], file: String) {
    self.tensors = Dictionary(tensors.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    self.file = file
  }

  /// The tensor of the first of several names that is there.
  mutating func find(_ names: [String]) throws(KistError) -> WeightTensor {
    for name in names.map({ Array($0.utf8) }) {
      guard let tensor = tensors[name] else { continue }
      used.insert(name)
      return tensor
    }
    throw KistError(
      .damaged, file: file, field: "tensor '\(names.first ?? "")'", "is missing, but the configuration asks for it")
  }
}
