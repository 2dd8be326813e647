import Foundation
import KistCore
import KistInference

/// How an encoder's states become one vector for a text. Source: sentence-transformers, Pooling and Normalize.
public struct Pooling: Sendable {
  /// Takes the first token's state rather than the mean of all.
  var takesFirst: Bool
  /// Scales the vector to length 1.
  var normalizes: Bool

  /// The vector of some rows of states.
  func pool(_ states: Matrix, rows: Range<Int>) -> [Float] {
    let width = states.columnCount
    let numbers = states.numbers(ofRows: takesFirst ? rows.lowerBound..<rows.lowerBound + 1 : rows)
    var sums = [Double](repeating: 0, count: width)
    for (index, number) in numbers.enumerated() { sums[index % width] += Double(number) }
    var vector = sums.map { $0 / Double(numbers.count / width) }
    if normalizes {
      let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
      vector = vector.map { $0 / length }
    }
    return vector.map(Float.init)
  }
}

extension LoadedModel {
  /// What the checkpoint's `modules.json` and `1_Pooling/config.json` say; without them the normalized mean.
  ///
  /// - Throws: `unsupported` for a pooling that is neither mean nor first token.
  public func pooling() throws(KistError) -> Pooling {
    func document(_ name: String) throws(KistError) -> JSONValue? {
      guard let asset = checkpoint.assets.first(where: { $0.path.utf8.elementsEqual(name.utf8) }) else { return nil }
      let bytes = try asset.smallContent(at: path)
      do throws(KistError) { return try unsafe JSONDocument(bytes.span.bytes).root } catch { throw error.inFile(path) }
    }
    var pooling = Pooling(takesFirst: false, normalizes: true)
    // llama.cpp's number for the first token.
    if case .integer("2", _) = checkpoint.metadata["bert.pooling_type"] { pooling.takesFirst = true }
    if let modules = try document("modules.json")?.array {
      pooling.normalizes = modules.contains { $0["type"]?.string?.hasSuffix("Normalize") ?? false }
    }
    if let config = try document("1_Pooling/config.json") {
      let modes = config.members?.filter { $0.key.hasPrefix("pooling_mode_") && $0.value.bool == true }.map(\.key) ?? []
      switch modes {
      case ["pooling_mode_mean_tokens"]: break
      case ["pooling_mode_cls_token"]: pooling.takesFirst = true
      default:
        throw KistError(
          .unsupported, file: path, field: "1_Pooling/config.json",
          "\(modes.joined(separator: " and ")) is nothing that this version computes")
      }
    }
    return pooling
  }

  /// The sentence vector of each text.
  ///
  /// - Throws: `invalid` when the model is no encoder.
  public func embed(_ texts: [String], parallelism: Parallelism) throws(KistError) -> [[Float]] {
    guard model.architecture.kind == .encoder else {
      throw KistError(
        .invalid, file: path, "is a \(model.architecture.name) decoder, not an encoder",
        advice: "`kist predict` and `kist logits` are for decoders")
    }
    var tokens: [[Int]] = []
    for text in texts { tokens.append(try self.tokens(of: text)) }
    let pooling = try pooling()
    let session = try Session(weights, textCount: texts.count, parallelism: parallelism)
    let states = try session.advance(texts: tokens)
    var start = 0
    return tokens.map { own in
      defer { start += own.count }
      return pooling.pool(states, rows: start..<start + own.count)
    }
  }
}
