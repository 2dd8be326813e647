import Foundation
import KistCheckpoints
import KistCore

/// The `general` keys of a GGUF that say where a model comes from: its card, its configuration, and the names that it has.
///
/// - Source: gguf-py 0.19, metadata.py, `Metadata.load` and `set_gguf_meta_model`.
package struct GeneralKeys {
  package var keys: [(key: String, value: GGUFValue)] = []

  /// - Parameters:
  ///   - folder: the name of the model's folder.
  ///   - sizeLabel: what holds where names say no size; nil for the rounded count.
  package init(
    card: ModelCard, config: JSONValue?, generation: JSONValue?, folder: String, parameterCount: Int,
    sizeLabel: String? = nil
  ) {
    addSampling(generation)
    let names = GeneralKeys.names(config, folder, parameterCount)
    func text(_ keys: String...) -> String? { keys.lazy.compactMap(card.text).first }
    let name =
      text("name", "model_name") ?? names.map { ModelName.title($0.name) }.first { !$0.isEmpty } ?? folder
    add("name", name)
    add("author", text("author", "model_author", "model_creator"))
    add("version", text("version", "model_version") ?? names.lazy.compactMap(\.version).first)
    add(
      "organization",
      text("organization", "model_organization") ?? names.lazy.compactMap(\.organization).first.map(ModelName.title))
    add("finetune", text("finetune", "model_finetune") ?? names.lazy.compactMap(\.finetune).first)
    add("basename", text("basename", "model_basename", "model_type") ?? names.lazy.compactMap(\.basename).first)
    add("description", text("description", "model_description"))
    add(
      "size_label",
      text("size_label", "model_size_label") ?? names.lazy.compactMap(\.sizeLabel).first ?? sizeLabel
        ?? ModelName.rounded(parameterCount))
    add("license", card["license"]?.texts.joined(separator: ","))
    add("license.name", text("license_name"))
    add("license.link", text("license_link"))
    add("source.url", text("url", "model_url"))
    add("source.doi", text("doi", "model_doi"))
    add("source.uuid", text("uuid", "model_uuid"))
    add("source.repo_url", text("repo_url", "model_repo_url"))
    addModels("base_model", GeneralKeys.first(card, "base_model", "base_models", "base_model_sources"), parameterCount)
    addModels("dataset", GeneralKeys.first(card, "datasets", "dataset", "dataset_sources"), parameterCount)
    addList("tags", card, "tags", "pipeline_tag")
    addList("languages", card, "languages", "language")
  }

  private static func first(_ card: ModelCard, _ keys: String...) -> [String]? {
    keys.lazy.compactMap { card[$0] }.first?.texts
  }

  /// What the configuration calls the model, and its folder.
  private static func names(_ config: JSONValue?, _ folder: String, _ parameterCount: Int) -> [ModelName] {
    var ids: [String] = []
    // Not the path of somebody's computer.
    if let id = config?["_name_or_path"]?.string, id.count(where: { $0 == "/" }) <= 1 { ids.append(id) }
    return (ids + [folder]).map { ModelName($0, parameterCount: parameterCount) }
  }

  private mutating func add(_ key: String, _ text: String?) {
    if let text { keys.append(("general.\(key)", .string(text))) }
  }

  private mutating func addList(_ key: String, _ card: ModelCard, _ names: String...) {
    let texts = names.compactMap { card[$0] }.flatMap(\.texts)
    guard !texts.isEmpty else { return }
    keys.append(("general.\(key)", .array(of: .string, texts.map { .string($0) })))
  }

  /// Models or datasets that this one was made of.
  private mutating func addModels(_ key: String, _ ids: [String]?, _ parameterCount: Int) {
    guard let ids else { return }
    keys.append(("general.\(key).count", .uint32(UInt32(clamping: ids.count))))
    for (index, id) in ids.enumerated() {
      let isAddress = ["http://", "https://", "ssh://"].contains { id.hasPrefix($0) }
      let hubID =
        isAddress ? id.wholeMatch(of: /https?:\/\/huggingface\.co\/([^\/]+\/[^\/]+)/).map { String($0.output.1) } : id
      if let hubID {
        let name = ModelName(hubID, parameterCount: parameterCount)
        add("\(key).\(index).name", ModelName.title(name.name))
        add("\(key).\(index).version", name.version)
        add("\(key).\(index).organization", name.organization.map(ModelName.title))
        if !isAddress, let organization = name.organization {
          add("\(key).\(index).repo_url", "https://huggingface.co/\(organization)/\(name.name)")
        }
      }
      if isAddress { add("\(key).\(index).repo_url", id) }
    }
  }

  /// How the model's authors advise to sample.
  private mutating func addSampling(_ config: JSONValue?) {
    guard let config else { return }
    func number(_ key: String, _ names: String...) {
      guard let value = names.lazy.compactMap({ config[$0]?.double }).first else { return }
      keys.append(("general.sampling.\(key)", .float32(Float(value))))
    }
    func integer(_ key: String, _ name: String) {
      guard let value = config[name]?.int else { return }
      keys.append(("general.sampling.\(key)", .int32(Int32(clamping: value))))
    }
    if let sequence = config["sequence"]?.string { add("sampling.sequence", sequence) }
    integer("top_k", "top_k")
    number("top_p", "top_p")
    number("min_p", "min_p")
    number("xtc_probability", "xtc_probability")
    number("xtc_threshold", "xtc_threshold")
    number("temp", "temperature")
    integer("penalty_last_n", "penalty_last_n")
    number("penalty_repeat", "penalty_repeat", "repetition_penalty")
    integer("mirostat", "mirostat")
    number("mirostat_tau", "mirostat_tau")
    number("mirostat_eta", "mirostat_eta")
  }
}
