import KistArchitectures
import KistCore
import KistQuantization

/// The weights of a model: for each that the forward pass asks for, where it lies.
public final class WeightTable: Sendable {
  public let model: ModelDescription
  /// The checkpoint to name in errors.
  public let file: String
  private let matrices: [TensorKey: WeightMatrix]
  private let vectors: VectorCache

  /// Finds every tensor that a model needs, and checks that it is what the forward pass takes it for.
  ///
  /// - Parameter memory: Bytes of weights that may stay in memory; what does not fit is read again each time.
  /// - Throws: `damaged` for a missing tensor, one of another shape, or one that the model does not have; `unsupported` for a dtype
  ///   that can't be computed with.
  public init(
    _ model: ModelDescription, _ tensors: [WeightTensor], file: String, memory: Int = WeightTable.usualMemory
  ) throws(KistError) {
    self.model = model
    self.file = file
    vectors = VectorCache()
    var budget = memory
    let placed = tensors.map { $0.placed(within: &budget) }
    let byName = Dictionary(placed.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    var used: Set<[UInt8]> = []
    var matrices: [TensorKey: WeightMatrix] = [:]
    for key in model.tensorKeys {
      guard let location = model.location(of: key) else {
        throw KistError(
          .unsupported, file: file, field: "\(key)", "has no name in \(model.architecture.name) checkpoints")
      }
      guard let name = location.names.first(where: { byName[Array($0.utf8)] != nil }),
        let tensor = byName[Array(name.utf8)]
      else {
        throw KistError(
          .damaged, file: file, field: "tensor '\(location.names[0])'", "is missing, but its configuration asks for it")
      }
      used.insert(Array(name.utf8))
      matrices[key] = try WeightMatrix(tensor, location, file: file)
    }
    self.matrices = matrices
    try WeightTable.checkExtra(tensors, used, model, file)
  }

  /// What is kept of weights when nobody says otherwise.
  public static let usualMemory = 1 << 30

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

  func matrix(_ key: TensorKey) throws(KistError) -> WeightMatrix {
    guard let matrix = matrices[key] else { throw KistError(.damaged, file: file, field: "\(key)", "is missing") }
    return matrix
  }

  public func dtype(of key: TensorKey) -> DType? { matrices[key]?.dtype }

  /// The name that the file gives a tensor.
  public func fileName(of key: TensorKey) -> String? { matrices[key]?.name }

  /// All numbers of a small tensor, kept once read.
  func vector(_ key: TensorKey) throws(KistError) -> [Float] {
    if let known = vectors[key] { return known }
    let values = try matrix(key).numbers()
    vectors[key] = values
    return values
  }

  /// The numbers of a tensor that may not be there: a bias.
  func vectorIfPresent(_ key: TensorKey) throws(KistError) -> [Float]? {
    has(key) ? try vector(key) : nil
  }
}
