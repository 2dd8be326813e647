import CSimdJSON

/// A parsed JSON text. Values are read from it as they are asked for; nothing is copied up front.
@safe public final class JSONDocument: Sendable {
  private nonisolated(unsafe) let document: OpaquePointer

  /// Parses UTF-8 JSON of at most `depth` nested levels.
  ///
  /// - Throws: `damaged` with the parser's own words.
  /// - Complexity: about 1 GB/s; memory a few times the text.
  public convenience init(_ text: RawSpan, depth: Int = 64) throws(KistError) {
    let result = unsafe text.withUnsafeBytes { unsafe Self.parseAny($0, isPadded: false, depth) }
    unsafe self.init(try result.get())
  }

  /// The same. An array that has room for ``padding`` more bytes is not copied.
  package convenience init(_ text: [UInt8], depth: Int) throws(KistError) {
    let isPadded = text.capacity - text.count >= Self.padding
    let result = unsafe text.withUnsafeBytes { unsafe Self.parseAny($0, isPadded: isPadded, depth) }
    unsafe self.init(try result.get())
  }

  package static let padding = Int(kist_json_padding)

  private init(_ document: OpaquePointer) { unsafe self.document = unsafe document }

  /// The parser has no integers of more than 64 bits; Python writes them, and they are taken as floating-point numbers.
  @unsafe private static func parseAny(
    _ bytes: UnsafeRawBufferPointer, isPadded: Bool, _ depth: Int
  ) -> Result<OpaquePointer, KistError> {
    let result = unsafe parse(bytes, isPadded: isPadded, depth)
    guard case .failure = unsafe result, let text = unsafe WideIntegers.asFloats(bytes) else { return unsafe result }
    let second = unsafe text.withUnsafeBytes { unsafe parse($0, isPadded: false, depth) }
    if case .success = unsafe second { return unsafe second }
    return unsafe result
  }

  @unsafe private static func parse(
    _ bytes: UnsafeRawBufferPointer, isPadded: Bool, _ depth: Int
  ) -> Result<OpaquePointer, KistError> {
    var message: UnsafePointer<CChar>?
    if let parsed = unsafe kist_json_parse(bytes.baseAddress, bytes.count, isPadded, depth, &message) {
      return unsafe .success(parsed)
    }
    let words = unsafe message.map { unsafe String(cString: $0) } ?? "unknown error"
    return unsafe .failure(KistError(.damaged, "not valid JSON: \(words)"))
  }

  deinit { unsafe kist_json_free(document) }

  public var root: JSONValue { unsafe JSONValue(owner: self, place: kist_json_root(document)) }
}

/// A value inside a ``JSONDocument``.
@safe public struct JSONValue: Sendable {
  fileprivate let owner: JSONDocument
  fileprivate nonisolated(unsafe) let place: kist_json_value

  fileprivate init(owner: JSONDocument, place: kist_json_value) {
    self.owner = owner
    unsafe self.place = place
  }

  private var type: kist_json_type { unsafe kist_json_type_of(place) }

  public var isNull: Bool { type == kist_json_null }
  public var bool: Bool? { type == kist_json_bool ? unsafe kist_json_get_bool(place) : nil }
  /// A number written without fraction or exponent that fits.
  public var int: Int? { type == kist_json_int64 ? unsafe Int(kist_json_get_int64(place)) : nil }

  public var uint64: UInt64? {
    switch type {
    case kist_json_int64: unsafe UInt64(exactly: kist_json_get_int64(place))
    case kist_json_uint64: unsafe kist_json_get_uint64(place)
    default: nil
    }
  }

  public var double: Double? {
    switch type {
    case kist_json_double: unsafe kist_json_get_double(place)
    case kist_json_int64: unsafe Double(kist_json_get_int64(place))
    case kist_json_uint64: unsafe Double(kist_json_get_uint64(place))
    default: nil
    }
  }

  public var string: String? {
    guard type == kist_json_string else { return nil }
    var length = 0
    let text = unsafe kist_json_get_string(place, &length)
    return unsafe String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
  }

  /// A string's bytes where they lie in the document; they live as long as it does.
  @unsafe package var utf8: UnsafeRawBufferPointer? {
    guard type == kist_json_string else { return nil }
    var length = 0
    let text = unsafe kist_json_get_string(place, &length)
    return unsafe UnsafeRawBufferPointer(start: text, count: length)
  }

  /// The elements, when this is an array.
  public var array: [JSONValue]? { type == kist_json_array ? children.map(\.value) : nil }

  /// The members in the order of the text, repeated keys included, when this is an object.
  public var members: [(key: String, value: JSONValue)]? { type == kist_json_object ? children : nil }

  /// The first member of that name, compared byte by byte.
  public subscript(key: String) -> JSONValue? {
    members?.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  /// The last member of that name, compared byte by byte, when this is an object.
  package func lastMember(_ name: String) -> JSONValue? {
    var (name, child) = unsafe (name, kist_json_value())
    let isThere = name.withUTF8 { name in
      unsafe name.withMemoryRebound(to: CChar.self) { name in
        unsafe kist_json_last_member(place, name.baseAddress, name.count, &child)
      }
    }
    return unsafe isThere ? JSONValue(owner: owner, place: child) : nil
  }

  /// What ``members`` has, read one by one: a hostile text of millions costs no list of them.
  package var memberSequence: JSONChildren? { type == kist_json_object ? JSONChildren(of: self) : nil }

  /// What ``array`` has, read one by one; the keys are empty.
  package var elementSequence: JSONChildren? { type == kist_json_array ? JSONChildren(of: self) : nil }

  /// How many elements or members there are, at least as far as 16,777,215; 0 when this is neither array nor object.
  package var childCount: Int {
    type == kist_json_array || type == kist_json_object ? unsafe kist_json_child_count(place) : 0
  }

  private var children: [(key: String, value: JSONValue)] { Array(JSONChildren(of: self)) }
}

/// The members of an object or the elements of an array, in the order of the text.
@safe package struct JSONChildren: Sequence, IteratorProtocol {
  private let owner: JSONDocument
  private var cursor: kist_json_cursor

  /// - Parameter parent: An object or an array.
  fileprivate init(of parent: JSONValue) {
    owner = parent.owner
    unsafe cursor = kist_json_children(parent.place)
  }

  package mutating func next() -> (key: String, value: JSONValue)? {
    guard let (key, value) = unsafe nextInPlace() else { return nil }
    return unsafe (String(decoding: key, as: UTF8.self), value)
  }

  /// As ``next()``, with the key's bytes where they lie in the document; they live as long as it does.
  @unsafe package mutating func nextInPlace() -> (key: UnsafeRawBufferPointer, value: JSONValue)? {
    var key: UnsafePointer<CChar>?
    var keyLength = 0
    var child = unsafe kist_json_value()
    guard unsafe kist_json_next(&cursor, &key, &keyLength, &child) else { return nil }
    return unsafe (UnsafeRawBufferPointer(start: key, count: keyLength), JSONValue(owner: owner, place: child))
  }
}

// MARK: - Vocabularies and merges

extension JSONChildren {
  private static let batchCount = 256

  /// Hands on every member of an object from here on: its name, and its value where that is a number of 32 bits. The bytes live as long as
  /// the document.
  ///
  /// - Complexity: some 10 ns a member, a tenth of what ``next()`` takes.
  @unsafe package mutating func forEachID(
    _ body: (UnsafeRawBufferPointer, UInt32?) throws(KistError) -> Void
  ) throws(KistError) {
    guard unsafe cursor.is_object else { return }
    var batch = unsafe [kist_json_id](repeating: kist_json_id(), count: Self.batchCount)
    while true {
      let count = unsafe kist_json_next_ids(&cursor, &batch, Self.batchCount)
      if count == 0 { return }
      for index in 0..<count {
        let item = unsafe batch[index]
        let name = unsafe UnsafeRawBufferPointer(start: item.name, count: item.length)
        try unsafe body(name, UInt32(exactly: item.id))
      }
    }
  }

  /// Hands on every element of an array from here on: both strings of an array of two, nil for another. The bytes live as long as the
  /// document.
  @unsafe package mutating func forEachPair(
    _ body: ((UnsafeRawBufferPointer, UnsafeRawBufferPointer)?) throws(KistError) -> Void
  ) throws(KistError) {
    guard unsafe !cursor.is_object else { return }
    var batch = unsafe [kist_json_pair](repeating: kist_json_pair(), count: Self.batchCount)
    while true {
      let count = unsafe kist_json_next_pairs(&cursor, &batch, Self.batchCount)
      if count == 0 { return }
      for index in 0..<count {
        let item = unsafe batch[index]
        guard let one = unsafe item.one, let other = unsafe item.other else {
          try body(nil)
          continue
        }
        try unsafe body(
          (
            UnsafeRawBufferPointer(start: one, count: item.one_length),
            UnsafeRawBufferPointer(start: other, count: item.other_length)
          ))
      }
    }
  }
}
