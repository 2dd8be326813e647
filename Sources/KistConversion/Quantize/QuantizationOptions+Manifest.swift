import KistCore
import KistFormat

extension QuantizationOptions {
  /// What the bytes of a container depend on besides its source and what every conversion has, for the manifest of a set of parts.
  func inManifest(_ name: String, _ plans: [TensorPlan]) throws(KistError) -> [SetManifest.Option] {
    var options = [SetManifest.Option(name: SetManifest.quantizeOption, value: name)]
    func add(_ name: String, _ value: String?) {
      if let value { options.append(SetManifest.Option(name: name, value: value)) }
    }
    if !namedTypes.isEmpty {
      add("tensor-type", namedTypes.map { "\($0.pattern)=\($0.type.name)" }.joined(separator: " "))
    }
    add("output-tensor-type", output?.name)
    add("token-embedding-type", tokenEmbedding?.name)
    add("pure", isPure ? "yes" : nil)
    add("imatrix", importance)
    if let importance {
      let file = try MappedFile(path: importance)
      add("imatrix-sha256", unsafe file.bytes.withUnsafeBytes { unsafe Digest(hashing: $0).hexadecimal })
    }
    // Whatever else types depend on: of a choice what was measured, on processors that may differ.
    let types = plans.map { "\($0.tensor.name)=\($0.type?.name ?? "")\n" }.joined()
    add("types-sha256", Digest(hashing: Array(types.utf8)).hexadecimal)
    return options
  }
}
