import KistCore
import KistTokenizers

/// What is made of each text.
struct EncodingForm: Sendable {
  var settings: Tokenizer.EncodingSettings
  var truncation: Truncation?
  var padding: Padding?
  /// Whether what truncation cuts off is asked for.
  var printsOverflow: Bool
}

/// Lines of JSON with texts, turned into lines with ids.
struct EncodedLines: Sendable {
  let tokenizer: Tokenizer
  let form: EncodingForm
  /// Whether types and masks are wanted, as with lengths.
  let isShaped: Bool

  func run(_ parallelism: Parallelism) throws(KistError) {
    guard let padding = form.padding, padding.fixedLength == nil else {
      return try JSONLines.map(parallelism) { (object) throws(KistError) in try answer(object) }
    }
    // How long the longest is shows at the end.
    var inputs: [ModelInput] = []
    try JSONLines.forEach(
      parallelism, { (object) throws(KistError) in try input(object) }, { inputs += $0 })
    try padding.apply(to: &inputs)
    for input in inputs { Output.bytes(line(input)) }
  }

  private func answer(_ object: JSONValue) throws(KistError) -> [UInt8] {
    if isShaped || object["pair"] != nil {
      var inputs = [try input(object)]
      try form.padding?.apply(to: &inputs)
      return inputs.flatMap(line)
    }
    let ids = try tokenizer.encode(try text(object, "text"), form.settings)
    var line = JSONText()
    line.object([("ids", { $0.array(ids) { $0.literal("\($1)") } })])
    return line.bytes + [UInt8(ascii: "\n")]
  }

  private func input(_ object: JSONValue) throws(KistError) -> ModelInput {
    try tokenizer.modelInput(
      try text(object, "text"), and: object["pair"] == nil ? nil : try text(object, "pair"), form.settings,
      truncation: form.truncation)
  }

  private func text(_ object: JSONValue, _ name: String) throws(KistError) -> [UInt8] {
    guard let text = object[name]?.string else { throw KistError(.invalid, field: name, "missing, or not a string") }
    return Array(text.utf8)
  }

  private func line(_ input: ModelInput) -> [UInt8] {
    var line = JSONText()
    write(input, to: &line, printsOverflow: form.printsOverflow)
    return line.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ input: ModelInput, to line: inout JSONText, printsOverflow: Bool) {
    var members: [(String, (inout JSONText) -> Void)] = [
      ("ids", { $0.array(input.ids) { $0.literal("\($1)") } }),
      ("type_ids", { $0.array(input.typeIDs) { $0.literal("\($1)") } }),
      ("attention_mask", { $0.array(input.attentionMask) { $0.literal("\($1)") } }),
    ]
    if printsOverflow {
      members.append(("overflow", { $0.array(input.overflow) { write($1, to: &$0, printsOverflow: false) } }))
    }
    line.object(members)
  }
}
