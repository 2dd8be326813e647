import Foundation
import KistArchitectures
import KistCore
import KistFormat
import KistInference

extension ProbeSet {
  /// What a container says that its model computes; nil when it says nothing.
  static func recorded(in container: KistFile) throws(KistError) -> ProbeSet? {
    guard let bytes = try container.recordBytes(RecordName.probes) else { return nil }
    do throws(KistError) { return try ProbeSet(decoding: bytes) } catch { throw error.inFile(container.path) }
  }

  /// Whether a model still computes what was recorded.
  ///
  /// - Parameter tolerance: What is allowed, when not what the weights' dtypes explain.
  public func check(_ model: LoadedModel, tolerance: Tolerance? = nil, parallelism: Parallelism) throws(KistError)
    -> Verdict
  {
    guard model.model.vocabularySize == vocabularySize else {
      throw KistError(
        .damaged, file: model.path, field: RecordName.probes,
        "are of a vocabulary of \(vocabularySize), the model has one of \(model.model.vocabularySize)")
    }
    let tolerance = tolerance ?? self.tolerance(for: model)
    let session = Session(model.weights, textCount: probes.count, parallelism: parallelism)
    let states = try session.advance(texts: probes.map(\.tokens))
    var comparison = LogitComparison()
    var differences: [String] = []
    var row = 0
    for (index, probe) in probes.enumerated() {
      let rows = row..<row + probe.tokens.count
      row = rows.upperBound
      if let text = probe.text, let tokens = try? model.tokens(of: text), !tokens.starts(with: probe.tokens) {
        differences.append("the tokenizer gives other tokens for probe \(index)")
      }
      guard probe.pooled.isEmpty else {
        let vector = try model.pooling().pool(states, rows: rows)
        comparison.add(vector[...], reference: probe.pooled[...], next: nil)
        continue
      }
      let logits = try session.logits(states, rows: rows).numbers()
      let next = probe.tokens.dropFirst().map(Optional.some) + [nil]
      probe.compare(logits, vocabularySize, next, tolerance, &comparison)
    }
    return Verdict(
      comparison, reference: "\(engine), recorded in the file", tolerance: tolerance, differences: differences)
  }

  /// What the weights' dtypes explain that the recorded model's did not have.
  private func tolerance(for model: LoadedModel) -> Tolerance {
    let new = Set(model.dtypes).subtracting(dtypes).compactMap { DType(name: $0) }
    return new.map(Tolerance.rounding(to:)).reduce(.exact) { $1.isLooser(than: $0) ? $1 : $0 }
  }
}

extension Probe {
  /// Compares whole rows where they are kept, elsewhere the highest logits with all others as one.
  fileprivate func compare(
    _ logits: [Float], _ size: Int, _ next: [Int?], _ tolerance: Tolerance, _ comparison: inout LogitComparison
  ) {
    let best = min(Probe.bestCount, size)
    for position in tokens.indices {
      let own = logits[position * size..<(position + 1) * size]
      if let kept = positions.firstIndex(of: position) {
        let expected = self.logits[kept * size..<(kept + 1) * size]
        let range = Double((expected.max() ?? 0) - (expected.min() ?? 0))
        comparison.add(own, reference: expected, next: next[position], tie: 2 * (tolerance.difference ?? 0) * range)
      } else {
        let places = position * best..<(position + 1) * best
        let ids = bestTokens[places]
        var kept = ids.map { own[own.startIndex + $0] }
        var expected = Array(bestLogits[places])
        if let rest = Probe.rest(expected, Double(logSumExp[position])),
          let ownRest = Probe.rest(kept, LogitComparison.logSumExp(own.map(Double.init)))
        {
          kept.append(ownRest)
          expected.append(rest)
        }
        let range = Double((expected.max() ?? 0) - (expected.min() ?? 0))
        comparison.add(kept[...], reference: expected[...], next: nil, tie: 2 * (tolerance.difference ?? 0) * range)
      }
    }
  }

  /// The log of the sum over all logits but some; nil when that is too small a part to be told from rounding.
  private static func rest(_ kept: [Float], _ logSumExp: Double) -> Float? {
    let part = 1 - exp(LogitComparison.logSumExp(kept.map(Double.init)) - logSumExp)
    return part > 0.02 ? Float(logSumExp + log(part)) : nil
  }
}
