import KistCore

/// Source: tokenizers, `processors/mod.rs`.
enum PostProcessorWord: String, CaseIterable {
  case roberta = "RobertaProcessing"
  case bert = "BertProcessing"
  case byteLevel = "ByteLevel"
  case template = "TemplateProcessing"
  case sequence = "Sequence"
}

private enum SequenceWord: String, CaseIterable { case a = "A", b = "B" }

extension ComponentReader {
  /// The library tells RobertaProcessing, BertProcessing and TemplateProcessing by their fields, in this order, whatever `type` says.
  func postProcessor(_ value: JSONValue, _ path: String) throws(KistError) -> PostProcessor {
    let fields = try JSONFields(value, path: path)
    let word: PostProcessorWord? = fields["type"] == nil ? nil : try fields.word("type")
    switch word {
    case .byteLevel:
      try checkByteLevel(fields)
      return .byteLevel
    case .sequence: return .sequence(try fields.elements("processors", postProcessor))
    case .roberta, .bert, .template, nil:
      if word == .template && !fields.has("sep", "cls") { return try template(fields) }
      if fields.has("sep", "cls", "trim_offsets", "add_prefix_space") { return try roberta(fields) }
      if fields.has("sep", "cls") || word != nil { return try bert(fields) }
      return try template(fields)
    }
  }

  private func roberta(_ fields: JSONFields) throws(KistError) -> PostProcessor {
    .roberta(
      separator: try specialToken(fields, "sep"), classifier: try specialToken(fields, "cls"),
      trimsOffsets: try fields.bool("trim_offsets"), addsPrefixSpace: try fields.bool("add_prefix_space"))
  }

  private func bert(_ fields: JSONFields) throws(KistError) -> PostProcessor {
    .bert(separator: try specialToken(fields, "sep"), classifier: try specialToken(fields, "cls"))
  }

  /// `["[SEP]", 102]`
  private func specialToken(_ fields: JSONFields, _ name: String) throws(KistError) -> PostProcessor.SpecialToken {
    guard let pair = try fields.required(name).array, pair.count == 2, let content = pair[0].stringBytes,
      let id = pair[1].int.flatMap(UInt32.init(exactly:))
    else { throw fields.wrong(name, "is not a token and its id") }
    return PostProcessor.SpecialToken(content: content, id: id)
  }

  private func template(_ fields: JSONFields) throws(KistError) -> PostProcessor {
    let specials = try JSONFields(fields.required("special_tokens"), path: fields.place("special_tokens"))
    var ids: [[UInt8]: [UInt32]] = [:]
    for name in specials.names {
      let special = try JSONFields(specials.required(name), path: specials.place(name))
      ids[Array(name.utf8)] = try special.elements("ids") { (value, place) throws(KistError) -> UInt32 in
        guard let id = value.int.flatMap(UInt32.init(exactly:)) else {
          throw KistError(.damaged, field: place, "is not an id")
        }
        return id
      }
    }
    let items = { (name: String) throws(KistError) -> [PostProcessor.TemplateItem] in
      try fields.elements(name) { (value, place) throws(KistError) in
        try templateItem(JSONFields(value, path: place), specials: ids)
      }
    }
    return .template(single: try items("single"), pair: try items("pair"))
  }

  /// `{"Sequence": {"id": "A", "type_id": 0}}` or `{"SpecialToken": {"id": "[CLS]", "type_id": 0}}`
  private func templateItem(
    _ fields: JSONFields, specials: [[UInt8]: [UInt32]]
  ) throws(KistError) -> PostProcessor.TemplateItem {
    if let value = fields["Sequence"] {
      let sequence = try JSONFields(value, path: fields.place("Sequence"))
      let letter: SequenceWord = try sequence.word("id")
      return .sequence(letter == .a ? 0 : 1, typeID: try sequence.id("type_id"))
    }
    let special = try JSONFields(fields.required("SpecialToken"), path: fields.place("SpecialToken"))
    let name = try special.bytes("id")
    guard let ids = specials[name] else {
      throw special.wrong("id", "is '\(String(decoding: name, as: UTF8.self))', which special_tokens does not have")
    }
    return .special(name: name, ids: ids, typeID: try special.id("type_id"))
  }
}
