import KistCore
import KistFormat

extension ImportanceMatrix {
  /// One matrix of several of the same model: sums and counts add up, so that pieces of a text, collected apart, become the whole.
  ///
  /// - Throws: `invalid` naming the tensor whose size differs, because that matrix is of another model.
  /// - Source: `load_imatrix` of llama.cpp's tools/imatrix/imatrix.cpp, whose result this is to the bit.
  public init(adding matrices: [(path: String, matrix: ImportanceMatrix)]) throws(KistError) {
    let size = matrices.lazy.map(\.matrix.chunkSize).first { $0 > 0 } ?? 0
    var entries: [String: Entry] = [:]
    var datasets: [String] = []
    for (path, matrix) in matrices {
      // The older form counts chunks, not tokens.
      let scale = matrix.chunkSize == 0 ? max(1, size) : 1
      for name in matrix.names {
        guard let entry = matrix.entries[name]?.scaled(by: scale) else { continue }
        guard var sum = entries[name] else {
          entries[name] = entry
          continue
        }
        guard sum.add(entry) else {
          throw KistError(
            .invalid, file: path, field: "tensor '\(name)'",
            "has \(entry.sums.count) sums and \(entry.counts.count) counts, in \(matrices[0].path) "
              + "\(sum.sums.count) and \(sum.counts.count): these are of different models")
        }
        entries[name] = sum
      }
      // Parts of a text are of one text.
      for dataset in matrix.datasets where !datasets.contains(where: { compareBytes($0, dataset) == 0 }) {
        datasets.append(dataset)
      }
    }
    let most = entries.values.lazy.compactMap { $0.counts.max() }.max() ?? 0
    let chunks = size > 0 ? most / size : matrices.reduce(0) { $0 + $1.matrix.chunkCount }
    self.init(entries: entries, datasets: datasets, chunkCount: chunks, chunkSize: size)
  }
}

extension ImportanceMatrix.Entry {
  fileprivate func scaled(by factor: Int) -> Self {
    guard factor != 1 else { return self }
    return Self(sums: sums.map { $0 * Float(factor) }, counts: counts.map { $0 * factor })
  }

  /// False, and nothing is changed, when sizes differ. A single count is that of every expert, as older files have it.
  fileprivate mutating func add(_ other: Self) -> Bool {
    let most = max(counts.count, other.counts.count)
    guard sums.count == other.sums.count, [1, most].contains(counts.count), [1, most].contains(other.counts.count)
    else { return false }
    func widened(_ counts: [Int]) -> [Int] {
      counts.count == most ? counts : [Int](repeating: counts[0], count: most)
    }
    counts = zip(widened(counts), widened(other.counts)).map { $0 + $1 }
    for index in sums.indices { sums[index] += other.sums[index] }
    return true
  }
}
