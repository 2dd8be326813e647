import KistCore

/// Ids with the number of the text that each belongs to, as models with two segments want it.
package struct Encoding: Sendable, Equatable {
  package var ids: [UInt32]
  package var typeIDs: [UInt32]

  package init(ids: [UInt32], typeID: UInt32 = 0) {
    self.ids = ids
    typeIDs = [UInt32](repeating: typeID, count: ids.count)
  }
}

/// Puts special tokens around one text or two. Source: tokenizers 0.23, `processors/`, and `tokenizer/mod.rs`,
/// `PostProcessor::process`.
package struct PostProcessorStage: Sendable {
  private let processor: PostProcessor?

  /// - Parameter processor: Nil joins the texts.
  package init(_ processor: PostProcessor?) { self.processor = processor }

  /// The ids of one text, or of two as one list.
  ///
  /// - Throws: `invalid` when a template names a text that is not there, or follows a processor that makes more than
  ///   two parts of them.
  package func process(
    _ ids: [UInt32], and second: [UInt32]? = nil, addsSpecialTokens: Bool
  ) throws(KistError) -> Encoding {
    var parts = [Encoding(ids: ids)]
    if let second { parts.append(Encoding(ids: second, typeID: 1)) }
    if let processor { parts = try Self.apply(processor, to: parts, addsSpecialTokens) }
    return parts.joined
  }

  /// Whether the ids of one text stay as they are, so that a long list of them need not be copied.
  package func keepsIDs(addingSpecialTokens: Bool) -> Bool {
    processor.map { Self.keepsIDs($0, addingSpecialTokens) } ?? true
  }

  private static func keepsIDs(_ processor: PostProcessor, _ addsSpecialTokens: Bool) -> Bool {
    switch processor {
    case .sequence(let processors): processors.allSatisfy { keepsIDs($0, addsSpecialTokens) }
    case .bert, .roberta: !addsSpecialTokens
    case .template: false
    case .byteLevel: true
    }
  }

  /// How many tokens are added to one text, or to two: what truncation leaves room for.
  package func addedTokenCount(isPair: Bool) -> Int {
    processor.map { Self.addedTokenCount($0, isPair: isPair) } ?? 0
  }

  private static func addedTokenCount(_ processor: PostProcessor, isPair: Bool) -> Int {
    switch processor {
    case .sequence(let processors): processors.reduce(0) { $0 + addedTokenCount($1, isPair: isPair) }
    case .bert: isPair ? 3 : 2
    case .roberta: isPair ? 4 : 2
    case .template(let single, let pair):
      (isPair ? pair : single).reduce(0) { count, item in
        if case .special(_, let ids, _) = item { count + ids.count } else { count }
      }
    case .byteLevel: 0
    }
  }

  private static func apply(
    _ processor: PostProcessor, to parts: [Encoding], _ addsSpecialTokens: Bool
  ) throws(KistError) -> [Encoding] {
    switch processor {
    case .sequence(let processors):
      var parts = parts
      for processor in processors { parts = try apply(processor, to: parts, addsSpecialTokens) }
      return parts
    case .bert(let separator, let classifier):
      guard addsSpecialTokens else { return parts }
      return parts.enumerated().map { index, part in
        let end = Encoding(ids: [separator.id], typeID: index == 0 ? 0 : 1)
        return index == 0 ? [Encoding(ids: [classifier.id]), part, end].joined : [part, end].joined
      }
    case .roberta(let separator, let classifier, _, _):
      // All of RoBERTa's types are 0, whether special tokens are added or not.
      return parts.enumerated().map { index, part in
        guard addsSpecialTokens else { return Encoding(ids: part.ids) }
        return Encoding(ids: [index == 0 ? classifier.id : separator.id] + part.ids + [separator.id])
      }
    case .template(let single, let pair):
      guard parts.count == 1 || parts.count == 2 else {
        throw mismatch("a template follows a processor that makes \(parts.count) parts of the text")
      }
      return try fill(parts.count == 1 ? single : pair, with: parts, addsSpecialTokens)
    case .byteLevel: return parts
    }
  }

  /// Each item of the template is a part of its own for the processors that follow.
  private static func fill(
    _ template: [PostProcessor.TemplateItem], with parts: [Encoding], _ addsSpecialTokens: Bool
  ) throws(KistError) -> [Encoding] {
    var filled: [Encoding] = []
    for item in template {
      switch item {
      case .sequence(let index, let typeID):
        guard parts.indices.contains(index) else { throw mismatch("the template for one text has a second one") }
        filled.append(Encoding(ids: parts[index].ids, typeID: typeID))
      case .special(_, let ids, let typeID):
        if addsSpecialTokens { filled.append(Encoding(ids: ids, typeID: typeID)) }
      }
    }
    return filled
  }

  private static func mismatch(_ problem: String) -> KistError {
    KistError(.invalid, field: "post_processor", problem, advice: "tokenizers fails here too")
  }
}

extension [Encoding] {
  fileprivate var joined: Encoding {
    var joined = Encoding(ids: flatMap(\.ids))
    joined.typeIDs = flatMap(\.typeIDs)
    return joined
  }
}
