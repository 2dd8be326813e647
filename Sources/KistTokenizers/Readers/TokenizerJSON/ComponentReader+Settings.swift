import KistCore

extension ComponentReader {
  /// Source: tokenizers, `utils/truncation.rs`.
  func truncation(_ value: JSONValue, _ path: String) throws(KistError) -> Truncation {
    let fields = try JSONFields(value, path: path)
    var truncation = Truncation(maximumLength: try fields.count("max_length"))
    truncation.stride = try fields.count("stride")
    truncation.strategy = try fields.word("strategy")
    if fields["direction"] != nil { truncation.side = try fields.word("direction") }
    return truncation
  }

  /// Source: tokenizers, `utils/padding.rs`.
  func padding(_ value: JSONValue, _ path: String) throws(KistError) -> Padding {
    let fields = try JSONFields(value, path: path)
    var padding = Padding()
    let strategy = try fields.required("strategy")
    if strategy.string?.utf8.elementsEqual("BatchLongest".utf8) != true {
      padding.fixedLength = try JSONFields(strategy, path: fields.place("strategy")).count("Fixed")
    }
    padding.multipleOf = try fields.optionalCount("pad_to_multiple_of")
    padding.side = try fields.word("direction")
    padding.id = try fields.id("pad_id")
    padding.typeID = try fields.id("pad_type_id")
    padding.token = try fields.bytes("pad_token")
    return padding
  }
}
