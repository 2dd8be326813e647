import KistCore

/// Cuts text into the pieces that the model sees one at a time.
///
/// Steps follow each other; each cuts every piece it gets on its own, as if nothing stood beside it. Pieces are ranges of one buffer, which
/// the few steps that change text write anew. Source: tokenizers, `pre_tokenizers/`, `tokenizer/pre_tokenizer.rs`.
package struct PreTokenizerStage: Sendable {
  enum Step: Sendable {
    case bert
    case whitespace
    case byScripts
    case fixedLength(Int)
    case characters(CharacterClass, SplitBehavior)
    case scan(Scanner)
    case split(CompiledPattern, SplitBehavior, inverted: Bool)
    case metaspace(MetaspaceStep)
    case prefixSpace
    case byteAlphabet
  }

  let steps: [Step]
  /// Whether the pieces are the text's own bytes although the definition ends in `ByteLevel`, which would write them in its alphabet.
  package let keepsRawBytes: Bool

  /// - Parameter keepsRawBytes: Leaves out the last step's translation into the alphabet of bytes, for models whose tokens were translated
  ///   back instead. Without effect where ``canKeepRawBytes(_:)`` says no.
  /// - Throws: `unsupported` naming what can't be done exactly.
  package init(_ definition: PreTokenizer, keepsRawBytes: Bool = false) throws(KistError) {
    var steps: [Step] = []
    try Self.append(definition, to: &steps)
    self.keepsRawBytes = keepsRawBytes && Self.canKeepRawBytes(definition)
    if self.keepsRawBytes { steps.removeLast() }
    self.steps = steps
  }

  /// Whether the last step is `ByteLevel`.
  package static func canKeepRawBytes(_ definition: PreTokenizer) -> Bool {
    switch definition {
    case .byteLevel: true
    case .sequence(let parts): parts.last.map(canKeepRawBytes) ?? false
    default: false
    }
  }

  /// The scanner that does all that this stage does; nil when there is more to it.
  package var soleScanner: Scanner? {
    guard steps.count == 1, case .scan(let scanner) = steps[0] else { return nil }
    return scanner
  }

  private static func append(_ definition: PreTokenizer, to steps: inout [Step]) throws(KistError) {
    switch definition {
    case .sequence(let parts):
      for part in parts { try append(part, to: &steps) }
    case .bert: steps.append(.bert)
    case .byteLevel(let addsPrefixSpace, let usesRegex):
      if addsPrefixSpace { steps.append(.prefixSpace) }
      if usesRegex { steps.append(.scan(.byteLevel)) }
      steps.append(.byteAlphabet)
    case .charDelimiterSplit(let delimiter):
      steps.append(.characters(CharacterClass(ScalarSet(delimiter.value)), .removed))
    case .metaspace(let metaspace): steps.append(.metaspace(MetaspaceStep(metaspace)))
    case .whitespace: steps.append(.whitespace)
    case .whitespaceSplit: steps.append(.characters(.whiteSpace, .removed))
    case .split(let pattern, let behavior, let inverted):
      steps.append(try split(pattern, behavior, inverted: inverted))
    case .punctuation(let behavior): steps.append(.characters(.punctuation, behavior))
    case .digits(let individual): steps.append(.characters(.numeric, individual ? .isolated : .contiguous))
    case .unicodeScripts: steps.append(.byScripts)
    case .fixedLength(let length):
      guard length > 0 else { throw KistError(.invalid, field: "FixedLength", "has a length of \(length)") }
      steps.append(.fixedLength(length))
    }
  }

  /// A scanner gives matches and what lies between; with ``SplitBehavior/isolated`` all of these are pieces.
  private static func split(
    _ pattern: Pattern, _ behavior: SplitBehavior, inverted: Bool
  ) throws(KistError) -> Step {
    if let scanner = Scanner(pattern) {
      if behavior == .isolated { return .scan(scanner) }
      if behavior == .removed, inverted, scanner.coversEverything { return .scan(scanner) }
    }
    return .split(try CompiledPattern(pattern), behavior, inverted: inverted)
  }

  /// Cuts the pieces of a text further.
  ///
  /// - Throws: `unsupported` when a pattern takes too long on this text.
  /// - Complexity: linear, but for patterns without a scanner that backtrack.
  package func apply(to pieces: inout Pieces) throws(KistError) {
    for step in steps {
      switch step {
      case .prefixSpace: pieces.addPrefixSpaces()
      case .byteAlphabet: pieces.writeInByteAlphabet()
      case .metaspace(let step): step.apply(to: &pieces)
      case .split(let pattern, let behavior, let inverted):
        unsafe try pieces.split { bytes, piece, cut throws(KistError) in
          unsafe try Self.split(bytes, piece, by: pattern, behavior, inverted: inverted, into: &cut)
        }
      default:
        unsafe try pieces.split { bytes, piece, cut throws(KistError) in unsafe step.cut(bytes, piece, into: &cut) }
      }
    }
  }

  private static func split(
    _ bytes: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, by pattern: CompiledPattern, _ behavior: SplitBehavior,
    inverted: Bool, into cut: inout [Range<Int>]
  ) throws(KistError) {
    var merger = SplitMerger(behavior)
    var position = piece.lowerBound
    let part = unsafe UnsafeBufferPointer(rebasing: bytes[piece])
    unsafe try pattern.forEachMatch(in: part) { start, end throws(KistError) in
      let match = piece.lowerBound + start..<piece.lowerBound + end
      if position < match.lowerBound { merger.add(position..<match.lowerBound, isMatch: inverted, to: &cut) }
      merger.add(match, isMatch: !inverted, to: &cut)
      position = match.upperBound
    }
    if position < piece.upperBound { merger.add(position..<piece.upperBound, isMatch: inverted, to: &cut) }
    merger.finish(&cut)
  }
}

extension PreTokenizerStage.Step {
  /// Appends the pieces that a piece is cut into; none of them empty.
  fileprivate func cut(_ bytes: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, into cut: inout [Range<Int>]) {
    switch self {
    case .scan(let scanner):
      let part = unsafe UnsafeBufferPointer(rebasing: bytes[piece])
      unsafe scanner.forEachPiece(in: part) { cut.append(piece.lowerBound + $0..<piece.lowerBound + $1) }
    case .bert: unsafe CharacterClass.bert.cutWords(bytes, piece, isolates: 2, into: &cut)
    case .whitespace: unsafe CharacterClass.words.cutRuns(bytes, piece, into: &cut)
    case .characters(let characters, let behavior): unsafe characters.split(bytes, piece, behavior, into: &cut)
    case .byScripts: unsafe UnicodeScripts.cut(bytes, piece, into: &cut)
    case .fixedLength(let length): unsafe Self.cutEvenly(bytes, piece, length, into: &cut)
    case .split, .metaspace, .prefixSpace, .byteAlphabet: cut.append(piece)
    }
  }

  private static func cutEvenly(
    _ bytes: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, _ length: Int, into cut: inout [Range<Int>]
  ) {
    var (start, position, count) = (piece.lowerBound, piece.lowerBound, 0)
    while position < piece.upperBound {
      unsafe position += UTF8Walk.scalar(in: bytes, at: position).length
      count += 1
      guard count == length || position >= piece.upperBound else { continue }
      cut.append(start..<position)
      (start, count) = (position, 0)
    }
  }
}
