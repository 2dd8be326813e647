import KistCore

/// tokenizer.json, the file of Hugging Face's tokenizers. Source: tokenizers, `tokenizer/serialization.rs`.
package enum TokenizerJSON {
  private static let fields = [
    "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder",
    "model",
  ]

  /// The nesting that serde_json allows.
  static let maximumDepth = 128

  /// Reads a file's bytes.
  ///
  /// - Throws: `damaged` or `unsupported`, naming the field.
  /// - Complexity: linear; about 150 ms for 33 MB with 256,000 tokens and 500,000 merges.
  package static func read(_ text: RawSpan) throws(KistError) -> TokenizerDefinition {
    try read(JSONDocument(text, depth: maximumDepth))
  }

  static func read(_ document: JSONDocument) throws(KistError) -> TokenizerDefinition {
    let fields = try JSONFields(document.root, path: "")
    // The library stumbles over a field that it does not know.
    if let name = fields.names.first(where: { name in !Self.fields.contains { $0.utf8.elementsEqual(name.utf8) } }) {
      throw KistError(.unsupported, field: name, "is a field that tokenizer.json does not have")
    }
    if fields["version"] != nil, try fields.bytes("version") != Array("1.0".utf8) {
      throw KistError(.unsupported, field: "version", "is '\(try fields.string("version"))', not 1.0")
    }
    var models = try ModelReader(fields.required("model"))
    let components = ComponentReader(words: .tokenizers)
    var definition = TokenizerDefinition(reference: .tokenizers, model: try models.read())
    try components.readPipeline(fields, into: &definition)
    if let value = fields["added_tokens"] {
      var reader = AddedTokenReader(table: models.table)
      definition.addedTokens = try reader.read(value, "added_tokens")
    }
    return definition
  }
}

extension ComponentReader {
  /// Everything but the model and the added tokens.
  func readPipeline(_ fields: JSONFields, into definition: inout TokenizerDefinition) throws(KistError) {
    definition.normalizer = try optional(fields, "normalizer", normalizer)
    definition.preTokenizer = try optional(fields, "pre_tokenizer", preTokenizer)
    definition.postProcessor = try optional(fields, "post_processor", postProcessor)
    definition.decoder = try optional(fields, "decoder", decoder)
    definition.truncation = try optional(fields, "truncation", truncation)
    definition.padding = try optional(fields, "padding", padding)
  }

  private func optional<Component>(
    _ fields: JSONFields, _ name: String, _ read: (JSONValue, String) throws(KistError) -> Component
  ) throws(KistError) -> Component? {
    guard let value = fields.present(name) else { return nil }
    return try read(value, fields.place(name))
  }
}
