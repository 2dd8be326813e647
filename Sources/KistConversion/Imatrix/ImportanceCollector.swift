import KistArchitectures
import KistCore
import KistInference

/// Runs text through a model and sums up the squares of what each weight meets: an importance matrix.
///
/// As llama-imatrix: the text is cut into chunks, each of which begins with the vocabulary's first token where it has one; what does not
/// fill a chunk at the end is left out. Of experts only those count that a token takes.
public struct ImportanceCollector: Sendable {
  private let model: LoadedModel
  private let parallelism: Parallelism
  /// GGUF's names of weights.
  private let names: [TensorKey: String]
  /// Experts of a tensor.
  private let expertCounts: [String: Int]

  /// Tokens of a chunk, when nobody says otherwise.
  public static let usualChunkSize = 512
  /// Chunks that go through the model side by side, as in llama-imatrix.
  private static let chunksAtATime = 4

  /// - Parameter includesHead: Whether the head counts, as with llama-imatrix's `--process-output`.
  public init(_ model: LoadedModel, includesHead: Bool = false, parallelism: Parallelism) throws(KistError) {
    self.model = model
    self.parallelism = parallelism
    let outline = try GGUFOutline(of: model)
    var names: [TensorKey: String] = [:]
    var expertCounts: [String: Int] = [:]
    for tensor in outline.tensors {
      let isCounted = tensor.name.hasPrefix("blk.") || (includesHead && tensor.name == "output.weight")
      guard isCounted, let first = tensor.keys.first, first.part == .weight else { continue }
      if first.expert == nil {
        // Of weights that share a tensor, one speaks for all: they meet the same.
        names[first] = tensor.name
      } else {
        for key in tensor.keys { names[key] = tensor.name }
        expertCounts[tensor.name] = (tensor.keys.compactMap(\.expert).max() ?? 0) + 1
      }
    }
    self.names = names
    self.expertCounts = expertCounts
  }

  /// - Parameters:
  ///   - dataset: the text's name, for the file.
  ///   - chunkSize: tokens of a chunk.
  ///   - part: which of the chunks count, when several machines share them.
  /// - Throws: `invalid` for a text without tokens, or with fewer chunks than parts; what computing throws.
  public func collect(
    _ text: String, dataset: String, chunkSize: Int? = nil, part: PartNumber? = nil,
    progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> ImportanceMatrix {
    let size = min(chunkSize ?? Self.usualChunkSize, model.model.mostTokens ?? .max)
    let all = try chunks(of: text, size: size)
    let chunks = Array(part.map { all[$0.range(ofItems: all.map(\.count))] } ?? all[...])
    guard !chunks.isEmpty else {
      throw KistError(
        .invalid, file: model.path, field: "--part",
        "the text has \(all.count) chunks of \(size) tokens, too few for \(part?.count ?? 1) parts")
    }
    let sums = InputSums()
    progress.begin("Collecting", total: chunks.reduce(0) { $0 + $1.count })
    defer { progress.end() }
    for start in stride(from: 0, to: chunks.count, by: Self.chunksAtATime) {
      let batch = Array(chunks[start..<min(start + Self.chunksAtATime, chunks.count)])
      let session = try Session(model.weights, textCount: batch.count, parallelism: parallelism)
      session.inputObserver = { key, inputs in
        if let name = names[key] { sums.add(inputs, to: name, expert: key.expert, of: expertCounts[name] ?? 1) }
      }
      let states = try session.advance(texts: batch)
      if names[TensorKey(.head)] != nil { _ = try session.logits(states) }
      progress.advance(by: batch.reduce(0) { $0 + $1.count })
    }
    let entries = sums.entries
    for (name, entry) in entries where !entry.sums.allSatisfy(\.isFinite) {
      throw KistError(.damaged, file: model.path, field: "tensor '\(name)'", "meets numbers that are NaN or infinite")
    }
    let most = entries.values.lazy.compactMap { $0.counts.max() }.max() ?? 0
    return ImportanceMatrix(entries: entries, datasets: [dataset], chunkCount: most / size, chunkSize: size)
  }

  private func chunks(of text: String, size: Int) throws(KistError) -> [[Int]] {
    let tokens = try model.tokens(of: text)
    guard !tokens.isEmpty else { throw KistError(.invalid, file: model.path, "the text has no tokens") }
    guard tokens.count >= size else { return [tokens] }
    let first = (try? model.tokens(of: ""))?.first
    return (0..<tokens.count / size).map { index in
      var chunk = Array(tokens[index * size..<(index + 1) * size])
      if let first { chunk[0] = first }
      return chunk
    }
  }
}

/// Sums of squares for each tensor; for one thread at a time.
private final class InputSums {
  private var sums: [String: (squares: [Double], counts: [Int])] = [:]

  func add(_ inputs: Matrix, to name: String, expert: Int?, of expertCount: Int) {
    let columns = inputs.columnCount
    var own =
      sums.removeValue(forKey: name)
      ?? ([Double](repeating: 0, count: columns * expertCount), [Int](repeating: 0, count: expertCount))
    let place = expert ?? 0
    own.counts[place] += inputs.rowCount
    unsafe own.squares.withUnsafeMutableBufferPointer { squares in
      guard let base = squares.baseAddress else { return }
      let target = unsafe base + place * columns
      for row in 0..<inputs.rowCount {
        let values = unsafe inputs.row(row)
        for column in 0..<columns {
          let value = unsafe Double(values[column])
          unsafe target[column] += value * value
        }
      }
    }
    sums[name] = own
  }

  var entries: [String: ImportanceMatrix.Entry] {
    sums.mapValues { ImportanceMatrix.Entry(sums: $0.squares.map { Float($0) }, counts: $0.counts) }
  }
}
