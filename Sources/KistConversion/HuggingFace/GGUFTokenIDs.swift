import KistArchitectures
import KistCore
import KistFormat

/// The tokens of a GGUF that play a part, as transformers' files name them.
struct GGUFTokenIDs {
  private let metadata: Metadata

  init(_ checkpoint: Checkpoint) { metadata = checkpoint.metadata }

  func id(_ name: String) -> Int? {
    guard case .integer(let digits, _)? = metadata["tokenizer.ggml.\(name)_token_id"] else { return nil }
    return Int(digits)
  }

  /// What config.json says.
  var configuration: [String: ConfigValue] {
    var members: [String: ConfigValue] = ["use_cache": .value(.flag(true))]
    for (key, name) in [("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")] {
      // Without the key, transformers would take an id of its own for some families.
      members[key] = id(name).map { .value(.integer($0)) } ?? .null
    }
    return members
  }

  /// Tokens that end a text: the model's own, and that of a turn.
  private var ends: [Int] {
    var ends: [Int] = []
    for name in ["eos", "eot", "eom"] {
      if let id = id(name), !ends.contains(id) { ends.append(id) }
    }
    return ends
  }

  /// generation_config.json; nil for models that generate nothing.
  func generation(_ checkpoint: Checkpoint) -> ConfigValue? {
    guard let last = ends.last, metadata["tokenizer.ggml.cls_token_id"] == nil else { return nil }
    var members = configuration
    members["use_cache"] = nil
    members["eos_token_id"] =
      .value(ends.count == 1 ? .integer(last) : .list(ends.map { .integer($0) }))
    for (key, name) in [("temperature", "temp"), ("top_k", "top_k"), ("top_p", "top_p")] {
      guard let value = metadata["general.sampling.\(name)"].flatMap(ParameterValue.init) else { continue }
      members[key] = .value(value)
      members["do_sample"] = .value(.flag(true))
    }
    return .object(members)
  }

  /// Chat templates by name; that without a name is the default.
  var chatTemplates: [(name: String, text: String)] {
    let key = "tokenizer.chat_template"
    return metadata.items.compactMap { item in
      guard item.key.hasPrefix(key), case .string(let text) = item.value else { return nil }
      let rest = item.key.dropFirst(key.count)
      guard rest.isEmpty || rest.hasPrefix(".") else { return nil }
      return (rest.isEmpty ? "default" : String(rest.dropFirst()), text)
    }
  }
}
