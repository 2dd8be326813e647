import KistCore

/// Reads the components of a pipeline from JSON in the words of tokenizer.json.
///
/// What tokenizers accepts is accepted, also without `type`, where it guesses the component by its fields; what it refuses is refused.
/// One thing is stricter: a `type` that it does not know is an error, where the library sometimes guesses then, too.
struct ComponentReader {
  /// Which words there are.
  enum Words {
    /// Those of tokenizers.
    case tokenizers
    /// Also those that a compiled tokenizer adds. Character maps lie apart.
    case compiled(charsmaps: [UInt8])
  }

  let words: Words

  var readsCompiled: Bool {
    switch words {
    case .tokenizers: false
    case .compiled: true
    }
  }

  /// The word that names a component: its `type`, or the first that has all its fields.
  ///
  /// - Parameter guesses: Components that the library recognizes without `type`, in its order.
  func name<Word: RawRepresentable & CaseIterable>(
    _ fields: JSONFields, guesses: [(Word, [String])]
  ) throws(KistError) -> Word where Word.RawValue == String {
    guard fields["type"] == nil else { return try fields.word("type") }
    if let (word, _) = guesses.first(where: { $0.1.allSatisfy { fields.has($0) } }) { return word }
    throw fields.wrong("type", "is missing, and the fields do not tell which component it is")
  }

  func pattern(_ fields: JSONFields) throws(KistError) -> Pattern {
    let pattern = try JSONFields(fields.required("pattern"), path: fields.place("pattern"))
    switch (pattern.has("String"), pattern.has("Regex")) {
    case (true, false): return .literal(try pattern.bytes("String"))
    case (false, true):
      let isOfOtherDialect = readsCompiled && pattern.has("dialect")
      return .regex(try pattern.string("Regex"), isOfOtherDialect ? try pattern.word("dialect") : .oniguruma)
    default: throw fields.wrong("pattern", "has neither String nor Regex alone")
    }
  }

  func metaspace(_ fields: JSONFields) throws(KistError) -> Metaspace {
    var metaspace = Metaspace()
    metaspace.replacement = try fields.scalar("replacement")
    if fields["prepend_scheme"] != nil { metaspace.prependScheme = try fields.word("prepend_scheme") }
    // Source: tokenizers, pre_tokenizers/metaspace.rs: a false that contradicts the scheme, given or assumed, is refused.
    if try fields.optionalBool("add_prefix_space") == false, metaspace.prependScheme != .never {
      throw fields.wrong("add_prefix_space", "contradicts prepend_scheme")
    }
    metaspace.splits = try fields.optionalBool("split") ?? true
    return metaspace
  }

  /// Bytes that a compiled tokenizer holds; text, unless they are not UTF-8.
  func rawBytes(_ value: JSONValue, _ place: String) throws(KistError) -> [UInt8] {
    if let text = value.stringBytes { return text }
    guard let bytes = Base64.decode(try JSONFields(value, path: place).bytes("base64")) else {
      throw KistError(.damaged, field: place, "is not base64")
    }
    return bytes
  }

  func charsmap(_ fields: JSONFields, _ name: String) throws(KistError) -> [UInt8] {
    guard case .compiled(let charsmaps) = words else {
      guard let charsmap = Base64.decode(try fields.bytes(name)) else { throw fields.wrong(name, "is not base64") }
      return charsmap
    }
    let place = try JSONFields(fields.required(name), path: fields.place(name))
    let (offset, count) = (try place.count("offset"), try place.count("count"))
    guard offset <= charsmaps.count, count <= charsmaps.count - offset else {
      throw fields.wrong(name, "lies outside the character maps")
    }
    return Array(charsmaps[offset..<offset + count])
  }
}

extension Metaspace.PrependScheme: CaseIterable {
  package static let allCases: [Self] = [.first, .never, .always]
}

extension RegexDialect: CaseIterable {
  package static let allCases: [Self] = [.oniguruma, .rust, .python]
}
