import KistArchitectures
import KistCheckpoints
import KistCore
import KistTokenizers

extension HubContent {
  /// tokenizer.json and tokenizer_config.json. A tokenizer that can't be said in them is no obstacle: a line says so.
  mutating func takeTokenizer(
    of checkpoint: Checkpoint, _ ids: GGUFTokenIDs, contextLength: Int?
  ) throws(KistError) {
    guard let header = try checkpoint.weightFiles.first?.header() else { return }
    let json: [UInt8]
    do throws(KistError) { json = try GGUFTokenizer.tokenizerJSON(header) } catch {
      notices.append("no tokenizer files: \(error)")
      return
    }
    assets.append(CheckpointAsset(path: "tokenizer.json", source: MemorySource(json), entry: nil))
    let config = try Self.tokenizerConfig(try GGUFFile(headerOf: header), ids, contextLength: contextLength)
    assets.append(
      CheckpointAsset(path: "tokenizer_config.json", source: MemorySource(Array(config.text.utf8)), entry: nil))
  }

  /// By the names of the keys that say them.
  private static let roles: [(key: String, name: String)] = [
    ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding"),
    ("sep_token", "seperator"), ("cls_token", "cls"), ("mask_token", "mask"),
  ]

  private static func tokenizerConfig(
    _ file: GGUFFile, _ ids: GGUFTokenIDs, contextLength: Int?
  ) throws(KistError) -> ConfigValue {
    var members: [String: ConfigValue] = [
      // The pipeline is all in tokenizer.json; a class of the model's own would build another.
      "tokenizer_class": .value("PreTrainedTokenizerFast"), "clean_up_tokenization_spaces": .value(false),
    ]
    if let contextLength { members["model_max_length"] = .value(.integer(contextLength)) }
    let wanted = Dictionary(
      roles.compactMap { role in ids.id(role.name).map { ($0, role.key) } }.map { ($0.0, [$0.1]) }, uniquingKeysWith: +)
    if let item = file.header.item("tokenizer.ggml.tokens") {
      var id = 0
      unsafe try file.forEachString(of: item) { text throws(KistError) in
        for key in wanted[id] ?? [] { members[key] = .value(.text(unsafe String(decoding: text, as: UTF8.self))) }
        id += 1
      }
    }
    let templates = ids.chatTemplates
    if templates.count == 1, templates[0].name == "default" {
      members["chat_template"] = .value(.text(templates[0].text))
    } else if !templates.isEmpty {
      members["chat_template"] = .list(
        templates.map { .object(["name": .value(.text($0.name)), "template": .value(.text($0.text))]) })
    }
    return .object(members)
  }
}
