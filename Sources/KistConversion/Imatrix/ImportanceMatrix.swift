import KistCore

/// An importance matrix: for each weight of a model, the sums of the squares of its inputs over some text, and of how many tokens.
/// Columns with large inputs are those whose errors count.
///
/// - Source: llama.cpp's tools/imatrix/imatrix.cpp and common/imatrix-loader.cpp.
public struct ImportanceMatrix: Sendable, Equatable {
  /// What was collected of one tensor.
  public struct Entry: Sendable, Equatable {
    /// Σx² for each column; of stacked experts one row after the other.
    public var sums: [Float]
    /// Tokens that were counted; one number, or one for each expert.
    public var counts: [Int]

    public init(sums: [Float], counts: [Int]) {
      self.sums = sums
      self.counts = counts
    }

    /// The mean of x² for each column: what quantizing asks for. Experts that no token took count all columns the same.
    public var weights: [Float] {
      let columns = sums.count / max(1, counts.count)
      var weights = sums
      for (matrix, count) in counts.enumerated() {
        for index in matrix * columns..<(matrix + 1) * columns {
          weights[index] = count > 0 ? sums[index] / Float(count) : 1
        }
      }
      return weights
    }
  }

  /// By GGUF's name of the tensor.
  public private(set) var entries: [String: Entry]
  /// Names of the texts.
  public var datasets: [String]
  /// Runs of ``chunkSize`` tokens that were collected.
  public var chunkCount: Int
  /// 0 where the file does not say it.
  public var chunkSize: Int

  public init(entries: [String: Entry], datasets: [String], chunkCount: Int, chunkSize: Int) {
    self.entries = entries
    self.datasets = datasets
    self.chunkCount = chunkCount
    self.chunkSize = chunkSize
  }

  public subscript(name: String) -> Entry? { entries[name] }

  /// In the order of their bytes, as llama.cpp writes them.
  public var names: [String] { entries.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) } }

  /// Reads llama.cpp's file: a GGUF, or the older form without a name.
  ///
  /// - Throws: `invalid` when the file is something else; `damaged` when it contradicts itself or has numbers that are none.
  public init(path: String) throws(KistError) {
    let file = try MappedFile(path: path)
    do throws(KistError) {
      let isGGUF = file.bytes.array(0..<min(4, file.count)) == Array("GGUF".utf8)
      self = try isGGUF ? ImportanceMatrix(gguf: file) : ImportanceMatrix(legacy: file)
      try check()
      try file.checkIntact()
    } catch { throw error.inFile(path) }
  }

  private func check() throws(KistError) {
    for name in names {
      guard let entry = entries[name] else { continue }
      func damage(_ problem: String) -> KistError { KistError(.damaged, field: "tensor '\(name)'", problem) }
      guard !entry.counts.isEmpty, !entry.sums.isEmpty, entry.sums.count % entry.counts.count == 0 else {
        throw damage("has \(entry.sums.count) sums for \(entry.counts.count) counts")
      }
      guard entry.sums.allSatisfy({ $0.isFinite && $0 >= 0 }), entry.counts.allSatisfy({ $0 >= 0 }) else {
        throw damage("has importances that are negative, NaN or infinite")
      }
    }
  }
}

extension ImportanceMatrix {
  /// Writes the file: the older form when the path ends in `.dat`.
  ///
  /// - Throws: `conflict` when the target exists and is not to be replaced.
  public func write(to path: String, replacingExisting: Bool) throws(KistError) {
    if !replacingExisting { try requireAbsent(path) }
    let bytes = try path.lowercased().hasSuffix(".dat") ? encodedLegacy() : encodedGGUF()
    let target = try NewFile(target: path)
    try target.output.write(bytes, at: 0)
    try target.commit(replacing: replacingExisting)
  }
}
