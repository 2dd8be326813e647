import KistCore

/// Keys of special tokens, of what is added to a text, and of chat templates, gathered from the files of a model as llama.cpp's converter
/// gathers them. Source: gguf-py 0.19, vocab.py, `SpecialVocab`.
struct GGUFSpecialVocabulary {
  private var roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]
  /// In the order in which they are found.
  private var ids: [(role: String, id: UInt32)] = []
  private var additions: [(role: String, adds: Bool)] = []
  private var templates: [GGUFTokenizerKey] = []
  private var normalizations: [GGUFTokenizerKey] = []
  private let tokenCount: Int?

  /// What tokenizer_config.json calls the tokens of the roles, as far as it says so, with what the post-processor says put in.
  private var names: [String: String] = [:]
  private var hasConfig = false

  /// - Parameter tokenCount: ids from there on are no tokens; nil for no bound.
  init(_ files: TokenizerFiles, tokenCount: Int? = nil) throws(KistError) {
    self.tokenCount = tokenCount
    let tokenizer = try files.json("tokenizer.json")
    let config = try files.json("tokenizer_config.json")
    hasConfig = config != nil
    for role in roles { names[role] = GGUFSpecialVocabulary.content(config?["\(role)_token"]) }
    if let tokenizer {
      if let normalizer = tokenizer["normalizer"] { readNormalizer(normalizer) }
      readPostProcessor(tokenizer["post_processor"])
    }
    if let config {
      try readTemplates(config, files)
      readConfig(config, added: tokenizer?["added_tokens"]?.array ?? [])
    }
    if let root = try files.json("config.json") {
      for role in roles {
        let inText = root["text_config"]?["\(role)_token_id"]
        let value = root["\(role)_token_id"].flatMap { $0.isNull ? nil : $0 } ?? inText
        if let id = value?.int { set(role, id) }
      }
    }
  }

  /// In the order of the file.
  var keys: [GGUFTokenizerKey] {
    ids.compactMap { role, id in Self.idKeys[role].map { GGUFTokenizerKey($0, .id(id)) } }
      + additions.filter { ["bos", "eos", "sep"].contains($0.role) }.map {
        GGUFTokenizerKey("add_\($0.role)_token", .flag($0.adds))
      } + templates + normalizations
  }

  private static let idKeys = [
    "bos": "bos_token_id", "eos": "eos_token_id", "unk": "unknown_token_id", "sep": "seperator_token_id",
    "pad": "padding_token_id", "mask": "mask_token_id", "eot": "eot_token_id", "eom": "eom_token_id",
  ]

  private static func content(_ value: JSONValue?) -> String? { value?.string ?? value?["content"]?.string }

  private mutating func set(_ role: String, _ id: Int) {
    guard let number = UInt32(exactly: id), id < tokenCount ?? .max, !ids.contains(where: { $0.role == role }) else {
      return
    }
    ids.append((role, number))
  }

  private mutating func add(_ role: String, _ adds: Bool, keepsFirst: Bool = false) {
    if let place = additions.firstIndex(where: { $0.role == role }) {
      if !keepsFirst { additions[place].adds = adds }
    } else {
      additions.append((role, adds))
    }
  }

  private mutating func readConfig(_ config: JSONValue, added: [JSONValue]) {
    for role in roles {
      if let adds = config["add_\(role)_token"]?.bool { add(role, adds, keepsFirst: true) }
      guard let name = names[role],
        let token = added.first(where: { $0["content"]?.string?.utf8.elementsEqual(name.utf8) == true })
      else { continue }
      if let id = token["id"]?.int { set(role, id) }
    }
  }

  // MARK: - tokenizer.json

  private mutating func readNormalizer(_ normalizer: JSONValue) {
    func put(_ name: String, _ flag: Bool) -> GGUFTokenizerKey { GGUFTokenizerKey("normalizer." + name, .flag(flag)) }
    switch normalizer["type"]?.string {
    case "Lowercase": normalizations.replace(put("lowercase", true))
    case "StripAccents": normalizations.replace(put("strip_accents", true))
    case "BertNormalizer":
      if let flag = normalizer["lowercase"]?.bool { normalizations.replace(put("lowercase", flag)) }
      if let flag = normalizer["strip_accents"]?.bool { normalizations.replace(put("strip_accents", flag)) }
    case "Sequence": for part in normalizer["normalizers"]?.array ?? [] { readNormalizer(part) }
    default: break
    }
    normalizations.sort { $0.name < $1.name }
  }

  private mutating func readPostProcessor(_ processor: JSONValue?) {
    if names["bos"] == nil, hasConfig { names["bos"] = names["cls"] }
    if names["eos"] == nil, hasConfig { names["eos"] = names["sep"] }
    guard let processor, !processor.isNull else { return }
    for part in processor["processors"]?.array ?? [processor] {
      switch part["type"]?.string {
      case "ByteLevel":
        add("bos", false, keepsFirst: true)
        add("eos", false, keepsFirst: true)
      case "RobertaProcessing":
        for role in ["bos", "eos", "sep"] { add(role, true) }
        if names["cls"] == nil, hasConfig { names["cls"] = part["cls"]?.array?.first?.string ?? names["bos"] }
        if names["sep"] == nil, hasConfig { names["sep"] = part["sep"]?.array?.first?.string ?? names["eos"] }
      case "TemplateProcessing": readTemplate(part)
      default: break
      }
    }
  }

  /// Which tokens stand around a text, by the first and the last of a template.
  private mutating func readTemplate(_ template: JSONValue) {
    func special(_ item: JSONValue?) -> String? { item?["SpecialToken"]?["id"]?.string }
    let single = template["single"]?.array ?? []
    var (first, last): (String?, String?)
    if single.count > 1 {
      first = special(single.first)
      last = special(single.last)
    }
    // Without a configuration the template names the tokens, for this template only.
    var (bos, cls, eos, sep) = (names["bos"], names["cls"], names["eos"], names["sep"])
    if let first {
      if !hasConfig {
        bos = first
      } else if first != bos, first != cls {
        if bos == nil { (bos, names["bos"]) = (first, first) }
        if cls == nil { (cls, names["cls"]) = (first, first) }
      }
      add("bos", first == bos || first == cls)
    }
    if let last {
      if !hasConfig {
        eos = last
      } else if last != eos {
        let role = !roles.contains("eot") ? "eot" : !roles.contains("eom") ? "eom" : nil
        if let role {
          roles.append(role)
          names[role] = eos
        }
        (eos, names["eos"]) = (last, last)
      }
      add("eos", last == eos)
    }
    readPair(template["pair"]?.array ?? [], first, last, eos: eos, sep: &sep, special)
  }

  private mutating func readPair(
    _ pair: [JSONValue], _ first: String?, _ last: String?, eos: String?, sep: inout String?,
    _ special: (JSONValue?) -> String?
  ) {
    var pair = pair[...]
    if let first, special(pair.first) == first { pair = pair.dropFirst() }
    if let last, special(pair.last) == last { pair = pair.dropLast() }
    guard pair.first?["Sequence"]?["id"]?.string == "A", pair.last?["Sequence"]?["id"]?.string == "B",
      pair.count > 2
    else { return }
    let between = Array(pair.dropFirst().dropLast())
    func separates(_ token: String?) -> Bool { token != nil && (token == sep || token == eos) }
    var adds = separates(special(between.first)) && last == nil
    if between.count == 2, separates(special(between[1])) { adds = true }
    add("sep", adds)
    if adds, sep == nil, hasConfig { names["sep"] = eos }
  }

  // MARK: - Chat templates

  private mutating func readTemplates(_ config: JSONValue, _ files: TokenizerFiles) throws(KistError) {
    if let value = config["chat_template"] {
      if let text = value.string { templates = [GGUFTokenizerKey("tokenizer.chat_template", .text(text))] }
      if let choices = value.array { readTemplates(choices.map { ($0["name"]?.string ?? "", $0["template"]?.string) }) }
      return
    }
    if let bytes = try files.bytes("chat_template.jinja") {
      let text = String(decoding: bytes, as: UTF8.self)
      let folder = "additional_chat_templates/"
      var others: [(String, String?)] = []
      for name in files.names.sorted() where name.hasPrefix(folder) && name.hasSuffix(".jinja") {
        let bytes = try files.bytes(name) ?? []
        others.append((String(name.dropFirst(folder.count).dropLast(6)), String(decoding: bytes, as: UTF8.self)))
      }
      guard others.isEmpty else { return readTemplates([("default", text)] + others) }
      templates = [GGUFTokenizerKey("tokenizer.chat_template", .text(text))]
    } else if let text = try files.json("chat_template.json")?["chat_template"]?.string {
      templates = [GGUFTokenizerKey("tokenizer.chat_template", .text(text))]
    }
  }

  private mutating func readTemplates(_ choices: [(name: String, template: String?)]) {
    var names: [String] = []
    var usual: String?
    for (name, template) in choices {
      let name = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
      guard !name.isEmpty, let template else { continue }
      if name == "default" {
        usual = template
      } else {
        names.append(name)
        templates.replace(GGUFTokenizerKey("tokenizer.chat_template.\(name)", .text(template)))
      }
    }
    if !names.isEmpty {
      templates.append(GGUFTokenizerKey("tokenizer.chat_templates", .strings(names.map { Array($0.utf8) })))
    }
    if let usual { templates.append(GGUFTokenizerKey("tokenizer.chat_template", .text(usual))) }
  }
}
