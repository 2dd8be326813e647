import KistCore
import KistFormat
import KistInference
import KistQuantization

/// What a quantization may choose.
public struct QuantizationOptions: Sendable {
  public var goal: Goal
  /// Types of tensors whose name matches; the first match counts.
  public var namedTypes: [NamedType]
  public var output: DType?
  public var tokenEmbedding: DType?
  /// The mixture's own type for all matrices.
  public var isPure: Bool
  public var allowsRequantizing: Bool
  public var allowsNonfinite: Bool
  /// Path of an importance matrix.
  public var importance: String?
  /// Text that source and result are compared on, instead of the usual prompts.
  public var text: String?
  /// The largest mean KL divergence that passes, in nats.
  public var maximumDivergence: Double?
  public var verifies: Bool
  /// Measures what each tensor does to the logits however long it takes.
  public var measures: Bool
  public var memory: MemoryBudget
  /// Packing, probes, threads and what else every conversion has.
  public var conversion: ConversionOptions

  /// What the result is to be.
  public enum Goal: Sendable, Equatable {
    case scheme(QuantizationScheme)
    /// As good as fits into so many bytes of tensors.
    case size(Int)
    /// As small as goes with the largest divergence.
    case divergence(Double)
    /// As they were chosen before.
    case types(ChosenTypes)
  }

  /// A pattern for names, of the file or of GGUF, and a type.
  public struct NamedType: Sendable {
    public var glob: Glob
    public var type: DType

    /// Reads `GLOB=TYPE`. The glob may match any part of a name, as llama.cpp's patterns do.
    ///
    /// - Throws: `invalid` when there is no type of that name, or none that weights are written in.
    public init(_ text: String) throws(KistError) {
      guard let place = text.lastIndex(of: "="), place > text.startIndex else {
        throw KistError(.invalid, field: "--tensor-type", "'\(text)' is not GLOB=TYPE")
      }
      let name = String(text[text.index(after: place)...])
      guard let type = DType(name: name), RowEncoder(type) != nil else {
        throw KistError(.invalid, field: "--tensor-type", "weights can't be written as '\(name)'")
      }
      glob = try Glob("*\(text[..<place])*")
      self.type = type
    }

    /// What was given as the pattern.
    var pattern: String { String(glob.pattern.dropFirst().dropLast()) }
  }

  public init(_ goal: Goal, conversion: ConversionOptions = ConversionOptions()) {
    self.goal = goal
    namedTypes = []
    isPure = false
    allowsRequantizing = false
    allowsNonfinite = false
    verifies = true
    measures = false
    memory = MemoryBudget()
    self.conversion = conversion
  }
}
