import KistCore

/// How long a text may become while replacements lengthen it: a file of a hundred bytes can ask for a text of terabytes.
struct GrowthLimit: Sendable {
  private let byteCount: Int

  /// - Parameter byteCount: Of the text before anything is replaced in it.
  init(from byteCount: Int) { self.byteCount = 1 << 20 + 1024 * min(byteCount, 1 << 40) }

  /// - Throws: `unsupported` when a text would become longer.
  func check(_ newByteCount: Int) throws(KistError) {
    guard newByteCount <= byteCount else {
      throw KistError(
        .unsupported, field: "Replace", "makes a text a thousand times as long",
        advice: "the tokenizer's file is broken or hostile")
    }
  }
}
