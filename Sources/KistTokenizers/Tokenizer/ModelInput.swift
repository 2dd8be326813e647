import KistCore

/// The ids of a text, or of two, as a model takes them: cut to a length and filled up to one.
public struct ModelInput: Sendable, Equatable {
  public var ids: [UInt32]
  /// The number of the text that each id belongs to.
  public var typeIDs: [UInt32]
  /// 1 for ids of the text and the tokens around it, 0 for those that only fill up.
  public var attentionMask: [UInt8]
  /// What truncation cut off a single text, in windows of the same length.
  public var overflow: [ModelInput] = []

  init(_ encoding: Encoding) {
    ids = encoding.ids
    typeIDs = encoding.typeIDs
    attentionMask = [UInt8](repeating: 1, count: encoding.ids.count)
  }

  /// Fills up to `length` tokens; a longer input stays as it is.
  fileprivate mutating func pad(to length: Int, _ padding: Padding) {
    let count = max(0, length - ids.count)
    let place = padding.side == .left ? 0 : ids.count
    ids.insert(contentsOf: repeatElement(padding.id, count: count), at: place)
    typeIDs.insert(contentsOf: repeatElement(padding.typeID, count: count), at: place)
    attentionMask.insert(contentsOf: repeatElement(0, count: count), at: place)
    for index in overflow.indices { overflow[index].pad(to: length, padding) }
  }
}

extension Padding {
  /// Longer inputs are refused: memory is taken for each token.
  public static let highestLength = 1 << 24

  /// Fills up a batch of inputs.
  ///
  /// The longest counts without what was cut off it, as in tokenizers.
  /// - Throws: `invalid` for a length beyond ``highestLength``.
  public func apply(to inputs: inout [ModelInput]) throws(KistError) {
    var length = fixedLength ?? inputs.reduce(0) { max($0, $1.ids.count) }
    if let multipleOf, multipleOf > 0, length % multipleOf > 0, length <= Self.highestLength {
      length += min(multipleOf, Self.highestLength + 1) - length % multipleOf
    }
    guard length <= Self.highestLength else {
      throw KistError(.invalid, field: "padding", "asks for more than \(Self.highestLength) tokens")
    }
    for index in inputs.indices { inputs[index].pad(to: length, self) }
  }
}
