/// Valid UTF-8 on its way through the normalizers.
package struct NormalizedText: Sendable, Equatable {
  package var bytes: [UInt8]
  /// Whether the first byte comes from the first character of the original text, or was put before it. What removes leading characters
  /// clears it. (Metaspace's `first` asks.)
  package var beginsAtOrigin: Bool

  package init(bytes: [UInt8], beginsAtOrigin: Bool = true) {
    self.bytes = bytes
    self.beginsAtOrigin = beginsAtOrigin
  }
}

/// Text that is cut into pieces, on its way through the pre-tokenizers: ranges of one buffer, in order, not overlapping, none of them
/// empty. What lies between ranges was removed.
package struct Pieces: Sendable, Equatable {
  package var bytes: [UInt8]
  package var ranges: [Range<Int>]
  /// Whether the first piece begins at the origin of the text (see ``NormalizedText/beginsAtOrigin``). A stage that moves the beginning
  /// of the first piece clears it.
  package var firstBeginsAtOrigin: Bool

  /// The whole of a text as one piece; none when it is empty.
  package init(_ text: NormalizedText) {
    bytes = text.bytes
    ranges = text.bytes.isEmpty ? [] : [0..<text.bytes.count]
    firstBeginsAtOrigin = text.beginsAtOrigin
  }
}
