import KistCore

/// The fields of a JSON object with a place in a file, read the way serde reads a struct: a field is there and of its type, or the error
/// names it. Of repeated fields the last counts.
struct JSONFields {
  /// Where the object stands, as an error names it: `normalizer.normalizers[2]`.
  let path: String
  private let object: JSONValue

  init(_ value: JSONValue, path: String) throws(KistError) {
    guard value.memberSequence != nil else { throw KistError(.damaged, field: path, "is not an object") }
    self.path = path
    object = value
  }

  /// The member of that name, compared byte by byte.
  subscript(name: String) -> JSONValue? { object.lastMember(name) }

  var names: [String] { object.members?.map(\.key) ?? [] }

  func has(_ names: String...) -> Bool { names.allSatisfy { self[$0] != nil } }

  func place(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

  func wrong(_ name: String, _ problem: String) -> KistError { KistError(.damaged, field: place(name), problem) }

  func required(_ name: String) throws(KistError) -> JSONValue {
    guard let value = self[name] else { throw wrong(name, "is missing") }
    return value
  }

  /// The value, unless it is missing or null.
  func present(_ name: String) -> JSONValue? {
    guard let value = self[name], !value.isNull else { return nil }
    return value
  }

  func bool(_ name: String) throws(KistError) -> Bool {
    guard let bool = try required(name).bool else { throw wrong(name, "is neither true nor false") }
    return bool
  }

  func bool(_ name: String, default missing: Bool) throws(KistError) -> Bool {
    self[name] == nil ? missing : try bool(name)
  }

  func optionalBool(_ name: String) throws(KistError) -> Bool? {
    present(name) == nil ? nil : try bool(name)
  }

  func bytes(_ name: String) throws(KistError) -> [UInt8] {
    guard let bytes = try required(name).stringBytes else { throw wrong(name, "is not a string") }
    return bytes
  }

  func optionalBytes(_ name: String) throws(KistError) -> [UInt8]? {
    present(name) == nil ? nil : try bytes(name)
  }

  func string(_ name: String) throws(KistError) -> String { String(decoding: try bytes(name), as: UTF8.self) }

  func count(_ name: String) throws(KistError) -> Int {
    guard let number = try required(name).int, number >= 0 else { throw wrong(name, "is not a whole number") }
    return number
  }

  func optionalCount(_ name: String) throws(KistError) -> Int? {
    present(name) == nil ? nil : try count(name)
  }

  func id(_ name: String) throws(KistError) -> UInt32 {
    guard let number = try required(name).int, let id = UInt32(exactly: number) else {
      throw wrong(name, "is not a number of 32 bits")
    }
    return id
  }

  func scalar(_ name: String) throws(KistError) -> Unicode.Scalar {
    let scalars = try string(name).unicodeScalars
    guard let scalar = scalars.first, scalars.count == 1 else { throw wrong(name, "is not one character") }
    return scalar
  }

  /// One of a few words. Compared as bytes: Swift's strings take U+212A for a K.
  func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws(KistError) -> Word
  where Word.RawValue == String {
    let text = try string(name)
    guard let word = Word.allCases.first(where: { $0.rawValue.utf8.elementsEqual(text.utf8) }) else {
      throw KistError(
        .unsupported, field: place(name),
        "is '\(text)', not one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return word
  }

  /// Each element of an array, with its place.
  func elements<Element>(
    _ name: String, _ read: (JSONValue, String) throws(KistError) -> Element
  ) throws(KistError) -> [Element] {
    guard let elements = try required(name).elementSequence else { throw wrong(name, "is not an array") }
    var result: [Element] = []
    for (_, value) in elements { result.append(try read(value, "\(place(name))[\(result.count)]")) }
    return result
  }
}

extension JSONValue {
  var stringBytes: [UInt8]? {
    guard let bytes = unsafe utf8 else { return nil }
    return unsafe [UInt8](bytes)
  }
}
