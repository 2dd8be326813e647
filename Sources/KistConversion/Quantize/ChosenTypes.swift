import KistCore
import KistFormat

/// The type of each tensor, as a choice or a dry run settled it: the report of `kist quantize --dry-run --json`, read back.
///
/// What needs the whole model (measuring what each tensor does to the logits) is done once; machines that share the work take its result.
public struct ChosenTypes: Sendable, Equatable {
  let path: String
  /// What was asked for, as the target will say it.
  let name: String
  /// By the bytes of the tensor's name.
  private let types: [[UInt8]: DType]
  let prediction: MixturePrediction?

  /// - Throws: `invalid` for a file that is no such report, or names a type that is none.
  public init(path: String) throws(KistError) {
    let file = try MappedFile(path: path)
    func invalid(_ field: String, _ problem: String) -> KistError {
      KistError(
        .invalid, file: path, field: field, problem,
        advice: "`kist quantize … --dry-run --json` writes such a file")
    }
    let document: JSONDocument
    let bytes = file.bytes.array(0..<file.count)
    do throws(KistError) { unsafe document = try JSONDocument(bytes.span.bytes, depth: 32) } catch {
      throw invalid("", "is no report of types: \(error.problem)")
    }
    let root = document.root
    guard let name = root["type"]?.string, let tensors = root["tensors"]?.array else {
      throw invalid("", "is no report of types")
    }
    var types: [[UInt8]: DType] = [:]
    for (index, tensor) in tensors.enumerated() {
      guard let tensorName = tensor["name"]?.string, let typeName = tensor["type"]?.string else {
        throw invalid("tensors[\(index)]", "has no name or no type")
      }
      guard typeName != TensorPlan.unknownType else { continue }
      guard let type = DType(name: typeName) else {
        throw invalid("tensor '\(tensorName)'", "has the type '\(typeName)', which this Kist does not know")
      }
      types[Array(tensorName.utf8)] = type
    }
    self.path = path
    self.name = name
    self.types = types
    prediction = root["predicted"].flatMap { MixturePrediction(reported: $0) }
  }

  subscript(name: String) -> DType? { types[Array(name.utf8)] }

  /// Throws when these are the types of another model.
  func check(_ source: Checkpoint) throws(KistError) {
    for tensor in source.tensors where tensor.dtype != nil && self[tensor.name] == nil {
      throw KistError(
        .invalid, file: path, field: "tensor '\(tensor.name)'",
        "is in \(source.path) and has no type here: these are the types of another model")
    }
    let names = Set(source.tensors.map { Array($0.name.utf8) })
    let others = types.keys.filter { !names.contains($0) }.sorted { $0.lexicographicallyPrecedes($1) }
    if let other = others.first {
      throw KistError(
        .invalid, file: path, field: "tensor '\(String(decoding: other, as: UTF8.self))'",
        "is not in \(source.path): these are the types of another model")
    }
  }
}

extension MixturePrediction {
  fileprivate init?(reported value: JSONValue) {
    guard let byteCount = value["bytes"]?.int else { return nil }
    self.init(byteCount: byteCount, divergence: value["kl"]?.double)
  }
}
