import Foundation
import KistCore
import KistInference
import KistTokenizers

/// Words as rows of a model's embedding matrix, and how close they are: cos(u, v) = u·v ÷ (|u| |v|).
public struct WordEmbeddings: Sendable {
  private let table: EmbeddingTable
  let tokenizer: Tokenizer
  let path: String

  /// The tensor that is looked at, and its shape and dtype.
  public var tensorName: String { table.name }
  public var shape: [Int] { [table.rowCount, table.columnCount] }
  public var dtype: String { "\(table.dtype)" }

  /// Names that checkpoints of architectures which this version does not know give the table.
  private static let tableNames = [
    "model.embed_tokens.weight", "embed_tokens.weight", "transformer.wte.weight", "wte.weight", "token_embd.weight",
    "embeddings.word_embeddings.weight", "model.language_model.embed_tokens.weight", "shared.weight",
  ]

  /// Opens a checkpoint's table.
  ///
  /// - Parameter tensor: A tensor of [tokens, width]; the model's own table when nil.
  /// - Throws: `missing` when there is no tokenizer or no such tensor; `unsupported` when nothing says which tensor is the table.
  public static func open(path: String, tensor: String? = nil) throws(KistError) -> WordEmbeddings {
    let checkpoint = try Checkpoint.open(path: path)
    let tokenizer = try Tokenizer.open(path: path)
    return WordEmbeddings(table: try table(of: checkpoint, tensor), tokenizer: tokenizer, path: path)
  }

  private static func table(of checkpoint: Checkpoint, _ name: String?) throws(KistError) -> EmbeddingTable {
    func find(_ name: String) -> CheckpointTensor? {
      checkpoint.tensors.first { $0.name.utf8.elementsEqual(name.utf8) }
    }
    if let name {
      guard let tensor = find(name) else {
        throw KistError(
          .missing, file: checkpoint.path, field: "tensor '\(name)'", "is not there",
          advice: "`kist inspect SRC --tensors '*'` lists them")
      }
      return try EmbeddingTable(tensor.weight, file: checkpoint.path)
    }
    do throws(KistError) {
      // One pass over one tensor: nothing is worth keeping.
      return try EmbeddingTable(LoadedModel(checkpoint, memory: MemoryBudget(byteCount: 0)).weights)
    } catch {
      guard let tensor = tableNames.lazy.compactMap(find).first else { throw error }
      return try EmbeddingTable(tensor.weight, file: checkpoint.path)
    }
  }

  // MARK: - What is close

  /// A token and how close it is.
  public struct Neighbor: Sendable, Codable, Equatable {
    public var token: Int
    public var text: String
    public var cosine: Double
  }

  /// The tokens closest to a word, itself left out.
  public func neighbors(
    of word: Word, count: Int, parallelism: Parallelism, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> [Neighbor] {
    try closest(to: try direction(of: word), leavingOut: Set(word.tokens), count, parallelism, progress)
  }

  /// The tokens closest to a − b + c, of rows scaled to length 1; the three left out. Source: Mikolov, Yih and Zweig 2013.
  public func analogy(
    _ a: Word, _ b: Word, _ c: Word, count: Int, parallelism: Parallelism,
    progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> [Neighbor] {
    let (u, v, w) = (try direction(of: a), try direction(of: b), try direction(of: c))
    let sum = u.indices.map { u[$0] - v[$0] + w[$0] }
    guard sum.contains(where: { $0 != 0 }) else {
      throw KistError(
        .invalid, field: "'\(a.text)' − '\(b.text)' + '\(c.text)'", "is no direction: the rows cancel out")
    }
    return try closest(to: sum, leavingOut: Set(a.tokens + b.tokens + c.tokens), count, parallelism, progress)
  }

  private func closest(
    to vector: [Float], leavingOut own: Set<Int>, _ count: Int, _ parallelism: Parallelism,
    _ progress: any ProgressObserver
  ) throws(KistError) -> [Neighbor] {
    // Rows beyond the last token only fill up.
    let rows = 0..<min(table.rowCount, tokenizer.idCount)
    var cosines = try table.cosines(with: vector, rows: rows, parallelism: parallelism, progress: progress)
    for token in own where rows.contains(token) { cosines[token] = -.infinity }
    while true {
      let best = LogitComparison.best(cosines, count).filter { cosines[$0].isFinite }
      // There may be gaps between tokens: nothing to show, however close they are.
      let nameless = best.filter { tokenizer.token(UInt32($0)) == nil }
      for row in nameless { cosines[row] = -.infinity }
      guard nameless.isEmpty else { continue }
      return best.map { Neighbor(token: $0, text: tokenizer.label(of: $0), cosine: Double(cosines[$0])) }
    }
  }

  /// A word's row scaled to length 1; of several tokens, the mean of theirs, scaled likewise.
  func direction(of word: Word) throws(KistError) -> [Float] {
    let rows = try table.rows(word.tokens).map(\.normalized)
    var sum = [Double](repeating: 0, count: table.columnCount)
    for row in rows { for (index, value) in row.enumerated() { sum[index] += Double(value) } }
    let mean = sum.map { Float($0 / Double(rows.count)) }.normalized
    guard mean.allSatisfy(\.isFinite), mean.contains(where: { $0 != 0 }) else {
      throw KistError(
        .invalid, file: path, field: "'\(word.text)'",
        "has a row in \(tensorName) that is zero or not finite: it has no direction")
    }
    return mean
  }

  var rowCount: Int { table.rowCount }
}

extension [Float] {
  /// The vector scaled to length 1; zeros stay.
  var normalized: [Float] {
    let length = reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return length > 0 ? map { Float(Double($0) / length) } : self
  }
}
