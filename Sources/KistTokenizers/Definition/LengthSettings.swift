/// How encodings are cut to a length. Read with the file, applied only when asked for. Source: tokenizers, `utils/truncation.rs`.
public struct Truncation: Sendable, Equatable {
  /// Which of two texts is cut. A single text is the first.
  public enum Strategy: String, Sendable, CaseIterable {
    /// The longer one until both are equally long, then both.
    case longestFirst = "LongestFirst"
    case onlyFirst = "OnlyFirst"
    case onlySecond = "OnlySecond"
  }

  /// Tokens that an encoding has at most, with those that the post-processor adds.
  public var maximumLength: Int
  /// How many tokens of a window are also in the next one; what was cut off is in windows of its own.
  public var stride = 0
  public var strategy = Strategy.longestFirst
  /// The end that is cut.
  public var side = TextSide.right

  public init(maximumLength: Int) { self.maximumLength = maximumLength }
}

/// How encodings are filled up to a length. Read with the file, applied only when asked for. Source: tokenizers, `utils/padding.rs`.
public struct Padding: Sendable, Equatable {
  /// Nil pads to the longest of a batch.
  public var fixedLength: Int?
  /// The length is rounded up to a multiple of this; nil and 0 leave it.
  public var multipleOf: Int?
  /// The end that is filled up.
  public var side = TextSide.right
  public var id: UInt32 = 0
  public var typeID: UInt32 = 0
  /// The name of the token with that id; only the id counts.
  package var token: [UInt8] = []

  public init() {}
}

/// An end of a list of tokens. Raw values: tokenizer.json, `direction`.
public enum TextSide: String, Sendable, CaseIterable {
  case left = "Left"
  case right = "Right"
}
