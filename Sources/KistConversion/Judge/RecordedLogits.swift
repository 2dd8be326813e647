import KistCheckpoints
import KistCore
import KistFormat
import KistInference

/// A model's logits on tokens: what `kist logits` writes.
public struct RecordedLogits: Sendable {
  public let tokens: [Int]
  /// [tokens, vocabulary], f32.
  public let values: [Float]
  public let vocabularySize: Int
  /// Who computed them.
  public let reference: String

  init(tokens: [Int], values: [Float], vocabularySize: Int, reference: String) {
    (self.tokens, self.values, self.vocabularySize, self.reference) = (tokens, values, vocabularySize, reference)
  }

  public init(_ model: LoadedModel, tokens: [Int], parallelism: Parallelism) throws(KistError) {
    self.tokens = tokens
    reference = KistVersion.name
    vocabularySize = model.model.vocabularySize
    let session = try Session(model.weights, parallelism: parallelism)
    values = try session.logits(session.advance(tokens)).numbers()
  }

  /// Writes a .npy file of the logits, or a .safetensors file that `kist verify --golden` reads.
  ///
  /// - Throws: `conflict` when the target exists and is not to be replaced.
  public func write(to path: String, replacingExisting: Bool) throws(KistError) {
    if !replacingExisting { try requireAbsent(path) }
    let shape = [tokens.count, vocabularySize]
    let bytes: [UInt8]
    if path.hasSuffix(".npy") {
      bytes =
        try NpyFile.header(dtype: .f32, shape: Shape(shape))
        + values.littleEndianBytes
    } else if path.hasSuffix(".safetensors") {
      var bundle = TensorBundle()
      bundle.add("tokens", tokens)
      bundle.add("logits", shape, values)
      bundle.add(key: "reference", reference)
      bytes = try bundle.encoded()
    } else {
      throw KistError(.invalid, file: path, "is neither .npy nor .safetensors", advice: "name one of them")
    }
    let target = try NewFile(target: path)
    try target.output.write(bytes, at: 0)
    try target.commit(replacing: replacingExisting)
  }
}
