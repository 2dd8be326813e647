import KistCore

/// A normalizer, ready to run: what text becomes before it is cut into pieces.
///
/// ```
/// definition ─ flattened → steps ─ each rewrites the text → NormalizedText
/// ```
///
/// Every step does what tokenizers 0.23.3 does, byte for byte; the last kind is sentencepiece's.
package struct NormalizerStage: Sendable {
  private let steps: [Step]

  private enum Step: Sendable {
    case form(NormalizationForm)
    case lowercase
    case byteLevel
    case nmt, stripCombiningMarks
    case bert(BertNormalization)
    case strip(left: Bool, right: Bool)
    case prepend([UInt8])
    case replace(Replacement)
    case precompiled(PrecompiledNormalization)
    case sentencePiece(SentencePieceNormalization)
    case llamaBert(stripsAccents: Bool, lowercases: Bool)
  }

  /// - Throws: `damaged` for a character map that contradicts its format; what the pattern of a replacement throws.
  package init(_ definition: Normalizer) throws(KistError) {
    var steps: [Step] = []
    try Self.append(definition, to: &steps)
    self.steps = steps
  }

  /// - Throws: `unsupported` when a replacement's pattern exceeds its match limits, or replacements make the text too long.
  package func apply(to text: inout NormalizedText) throws(KistError) {
    guard !steps.isEmpty else { return }
    var working = OriginText(text)
    let limit = GrowthLimit(from: text.bytes.count)
    for step in steps { try Self.run(step, on: &working, limit) }
    text = working.normalized
  }

  private static func append(_ definition: Normalizer, to steps: inout [Step]) throws(KistError) {
    switch definition {
    case .sequence(let parts): for part in parts { try append(part, to: &steps) }
    case .nfc: steps.append(.form(.nfc))
    case .nfd: steps.append(.form(.nfd))
    case .nfkc: steps.append(.form(.nfkc))
    case .nfkd: steps.append(.form(.nfkd))
    case .lowercase: steps.append(.lowercase)
    case .nmt: steps.append(.nmt)
    case .byteLevel: steps.append(.byteLevel)
    case .stripAccents: steps.append(.stripCombiningMarks)
    case .strip(let left, let right): steps.append(.strip(left: left, right: right))
    case .bert(let cleans, let spaces, let strips, let lowercases):
      steps.append(
        .bert(
          BertNormalization(
            cleans: cleans, spaces: spaces, strips: strips ?? lowercases, lowercases: lowercases)))
    case .precompiled(let charsmap): steps.append(.precompiled(PrecompiledNormalization(try CharacterMap(charsmap))))
    case .replace(let pattern, let content): steps.append(.replace(try Replacement(pattern, with: content)))
    case .prepend(let content): steps.append(.prepend(content))
    case .sentencePiece(let settings):
      steps.append(.sentencePiece(try SentencePieceNormalization(settings)))
    case .llamaBert(let strips, let lowercases):
      steps.append(.llamaBert(stripsAccents: strips, lowercases: lowercases))
    }
  }

  private static func run(
    _ step: Step, on text: inout OriginText, _ limit: GrowthLimit
  ) throws(KistError) {
    switch step {
    case .form(let form): text.normalize(to: form)
    case .lowercase: text.lowercase()
    case .byteLevel: text.spellBytes()
    case .nmt: text.rewrite(NmtRule.self)
    case .stripCombiningMarks: text.rewrite(CombiningMarkRule.self)
    case .bert(let normalization): normalization.apply(to: &text)
    case .strip(let left, let right): text.strip(left: left, right: right)
    case .prepend(let content): text.prepend(content)
    case .replace(let replacement): try replacement.apply(to: &text, limit)
    case .precompiled(let normalization): normalization.apply(to: &text)
    case .sentencePiece(let normalization): normalization.apply(to: &text)
    case .llamaBert(let strips, let lowercases):
      switch (strips, lowercases) {
      case (true, true): text.rewrite(LlamaBertRule.Folding.self)
      case (true, false): text.rewrite(LlamaBertRule.Stripping.self)
      case (false, true): text.rewrite(LlamaBertRule.Lowercasing.self)
      case (false, false): text.rewrite(LlamaBertRule.Plain.self)
      }
    }
  }
}
