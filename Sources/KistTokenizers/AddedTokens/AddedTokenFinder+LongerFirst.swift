import KistCore

/// llama.cpp's way with added tokens: the longest is looked for in the whole text, then the next, in what is left of it. It gives other parts
/// than a search from the left only where tokens overlap.
///
/// - Source: llama.cpp, `src/llama-vocab.cpp`, `tokenizer_st_partition`.
extension AddedTokenFinder {
  private struct Occurrence {
    var range: Range<Int>
    /// In the table.
    var token: Int
  }

  /// - Complexity: O(*n* log *n*) in the occurrences, overlapping ones too.
  func appendLongerFirst(of text: UnsafeRawBufferPointer, parsesSpecial: Bool, to segments: inout [Segment]) {
    var found = unsafe occurrences(in: text, parsesSpecial: parsesSpecial)
    found.sort { a, b in
      // Of tokens of one length llama.cpp takes them in no certain order.
      (-a.range.count, a.token, a.range.lowerBound) < (-b.range.count, b.token, b.range.lowerBound)
    }
    var isTaken = [Bool](repeating: false, count: found.isEmpty ? 0 : text.count)
    var chosen: [Occurrence] = []
    for occurrence in found where !isTaken[occurrence.range].contains(true) {
      for place in occurrence.range { isTaken[place] = true }
      unsafe takeSpaces(of: occurrence, in: text, &isTaken)
      chosen.append(occurrence)
    }
    chosen.sort { $0.range.lowerBound < $1.range.lowerBound }
    append(chosen, isTaken, textCount: text.count, to: &segments)
  }

  private func occurrences(in text: UnsafeRawBufferPointer, parsesSpecial: Bool) -> [Occurrence] {
    var found: [Occurrence] = []
    var position = unsafe beginnings.next(in: text, from: 0)
    while position < text.count {
      var (node, end) = (trie.root, position)
      while end < text.count {
        node = unsafe trie.child(of: node, text[end])
        guard node.exists else { break }
        end += 1
        guard let token = node.value.map({ Int($0) }) else { continue }
        guard parsesSpecial || !table.flags(at: token).contains(.isSpecial) else { continue }
        found.append(Occurrence(range: position..<end, token: token))
      }
      position = unsafe beginnings.next(in: text, from: position + 1)
    }
    return found
  }

  private func takeSpaces(of occurrence: Occurrence, in text: UnsafeRawBufferPointer, _ isTaken: inout [Bool]) {
    let flags = table.flags(at: occurrence.token)
    let isASCII = flags.contains(.stripsASCIISpaceOnly)
    if flags.contains(.stripsLeft) {
      let limit = isTaken[..<occurrence.range.lowerBound].lastIndex(of: true).map { $0 + 1 } ?? 0
      let start = unsafe TextBoundary.startOfSpace(
        before: occurrence.range.lowerBound, in: text, notBefore: limit, isASCII: isASCII)
      for place in start..<occurrence.range.lowerBound { isTaken[place] = true }
    }
    if flags.contains(.stripsRight) {
      let limit = isTaken[occurrence.range.upperBound...].firstIndex(of: true) ?? text.count
      let end = unsafe TextBoundary.endOfSpace(after: occurrence.range.upperBound, in: text, isASCII: isASCII)
      for place in occurrence.range.upperBound..<min(end, limit) { isTaken[place] = true }
    }
  }

  private func append(_ chosen: [Occurrence], _ isTaken: [Bool], textCount: Int, to segments: inout [Segment]) {
    /// What is left of the text between two tokens.
    func appendText(_ gap: Range<Int>) {
      guard let first = gap.first(where: { isTaken.isEmpty || !isTaken[$0] }),
        let last = gap.last(where: { isTaken.isEmpty || !isTaken[$0] })
      else { return }
      segments.append(Segment(range: first..<last + 1, id: nil))
    }
    var end = 0
    for occurrence in chosen {
      appendText(end..<occurrence.range.lowerBound)
      segments.append(Segment(range: occurrence.range, id: table.id(at: occurrence.token)))
      end = occurrence.range.upperBound
    }
    appendText(end..<textCount)
  }
}
