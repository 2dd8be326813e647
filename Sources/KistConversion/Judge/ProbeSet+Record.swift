import KistCore
import KistFormat

/// The record is a safetensors file: metadata `engine`, `dtypes`, `vocabulary`, `count` and `text.N`; for probe N the tensors `N.tokens`,
/// `N.positions`, `N.logits`, `N.best_tokens`, `N.best_logits`, `N.log_sum_exp`, or `N.pooled`. spec/kist-format.md, "Records".
extension ProbeSet {
  func encoded() throws(KistError) -> [UInt8] {
    var bundle = TensorBundle()
    bundle.add(key: "count", "\(probes.count)")
    bundle.add(key: "dtypes", dtypes.joined(separator: " "))
    bundle.add(key: "engine", engine)
    for (index, probe) in probes.enumerated() {
      if let text = probe.text { bundle.add(key: "text.\(index)", text) }
      bundle.add("\(index).tokens", probe.tokens)
      if probe.pooled.isEmpty {
        bundle.add("\(index).positions", probe.positions)
        bundle.add("\(index).logits", [probe.positions.count, vocabularySize], probe.logits)
        bundle.add("\(index).best_tokens", probe.bestTokens)
        bundle.add("\(index).best_logits", [probe.bestLogits.count], probe.bestLogits)
        bundle.add("\(index).log_sum_exp", [probe.logSumExp.count], probe.logSumExp)
      } else {
        bundle.add("\(index).pooled", [probe.pooled.count], probe.pooled)
      }
    }
    bundle.add(key: "vocabulary", "\(vocabularySize)")
    return try bundle.encoded()
  }

  /// - Throws: `damaged` when the bytes are not such a record.
  init(decoding bytes: [UInt8]) throws(KistError) {
    func damage(_ problem: String) -> KistError { KistError(.damaged, field: RecordName.probes, problem) }
    let reader: TensorBundleReader
    do throws(KistError) { reader = try TensorBundleReader(bytes) } catch { throw damage(error.problem) }
    guard let engine = reader.metadata("engine"), let count = reader.metadata("count").flatMap({ Int($0) }),
      let size = reader.metadata("vocabulary").flatMap({ Int($0) }), size > 0, (1...1000).contains(count)
    else { throw damage("does not say who computed what") }
    self.engine = engine
    dtypes = (reader.metadata("dtypes") ?? "").split(separator: " ").map(String.init)
    vocabularySize = size
    probes = []
    for index in 0..<count {
      guard let probe = Probe(reader, index, size) else { throw damage("probe \(index) is incomplete") }
      probes.append(probe)
    }
  }
}

extension Probe {
  /// Nil when something is missing or does not fit.
  fileprivate init?(_ reader: TensorBundleReader, _ index: Int, _ size: Int) {
    guard let tokens = reader.integers("\(index).tokens"), !tokens.isEmpty, tokens.allSatisfy({ 0..<size ~= $0 })
    else { return nil }
    self.tokens = tokens
    text = reader.metadata("text.\(index)")
    (positions, logits, bestTokens, bestLogits, logSumExp) = ([], [], [], [], [])
    pooled = reader.floats("\(index).pooled") ?? []
    guard pooled.isEmpty else { return }
    guard let positions = reader.integers("\(index).positions"), let logits = reader.floats("\(index).logits"),
      let bestTokens = reader.integers("\(index).best_tokens"),
      let bestLogits = reader.floats("\(index).best_logits"),
      let logSumExp = reader.floats("\(index).log_sum_exp")
    else { return nil }
    let best = min(Probe.bestCount, size)
    guard positions.allSatisfy({ tokens.indices.contains($0) }), Set(positions).count == positions.count,
      logits.count == positions.count * size, bestTokens.count == tokens.count * best,
      bestLogits.count == bestTokens.count, logSumExp.count == tokens.count,
      bestTokens.allSatisfy({ 0..<size ~= $0 })
    else { return nil }
    (self.positions, self.logits, self.bestTokens) = (positions, logits, bestTokens)
    (self.bestLogits, self.logSumExp) = (bestLogits, logSumExp)
  }
}
