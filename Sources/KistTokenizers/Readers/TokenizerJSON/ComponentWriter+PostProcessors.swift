extension ComponentWriter {
  /// - Parameter nameOf: The token of an id, for the template's list of special tokens.
  mutating func postProcessor(_ postProcessor: PostProcessor, nameOf: @escaping (UInt32) -> [UInt8]?) {
    switch postProcessor {
    case .sequence(let processors):
      component("Sequence", [("processors", Self.list(processors) { $0.postProcessor($1, nameOf: nameOf) })])
    case .byteLevel:
      component(
        "ByteLevel",
        [
          ("add_prefix_space", Self.bool(true)), ("trim_offsets", Self.bool(true)), ("use_regex", Self.bool(true)),
        ])
    case .bert(let separator, let classifier):
      component("BertProcessing", [("sep", Self.special(separator)), ("cls", Self.special(classifier))])
    case .roberta(let separator, let classifier, let trimsOffsets, let addsPrefixSpace):
      component(
        "RobertaProcessing",
        [
          ("sep", Self.special(separator)), ("cls", Self.special(classifier)),
          ("trim_offsets", Self.bool(trimsOffsets)),
          ("add_prefix_space", Self.bool(addsPrefixSpace)),
        ])
    case .template(let single, let pair):
      component(
        "TemplateProcessing",
        [
          ("single", Self.list(single) { $0.templateItem($1) }), ("pair", Self.list(pair) { $0.templateItem($1) }),
          ("special_tokens", Self.specialTokens(single + pair, nameOf: nameOf)),
        ])
    }
  }

  /// `["[SEP]", 102]`
  private static func special(_ token: PostProcessor.SpecialToken) -> Write {
    { writer in
      writer.literal("[")
      writer.bytes(token.content)
      writer.literal(",\(token.id)]")
    }
  }

  private mutating func templateItem(_ item: PostProcessor.TemplateItem) {
    switch item {
    case .sequence(let index, let typeID):
      let members = [("id", Self.string(index == 0 ? "A" : "B")), ("type_id", Self.number(typeID))]
      object([("Sequence", { $0.object(members) })])
    case .special(let name, _, let typeID):
      let members = [("id", Self.bytes(name)), ("type_id", Self.number(typeID))]
      object([("SpecialToken", { $0.object(members) })])
    }
  }

  /// `{"[CLS]": {"id": "[CLS]", "ids": [101], "tokens": ["[CLS]"]}, …}`, by name, as the library writes it.
  private static func specialTokens(
    _ items: [PostProcessor.TemplateItem], nameOf: @escaping (UInt32) -> [UInt8]?
  ) -> Write {
    var idsByName: [[UInt8]: [UInt32]] = [:]
    for case .special(let name, let ids, _) in items { idsByName[name] = ids }
    let specials = idsByName.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    return { writer in
      writer.object(
        specials.map { name, ids in
          (
            String(decoding: name, as: UTF8.self),
            {
              $0.object([
                ("id", bytes(name)), ("ids", list(ids) { $0.literal("\($1)") }),
                ("tokens", list(ids) { $0.bytes(ids.count == 1 ? name : nameOf($1) ?? name) }),
              ])
            }
          )
        })
    }
  }
}
