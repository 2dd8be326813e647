import KistCore

/// The dictionary at the beginning of a .npy file.
struct NpyHeader {
  let dtype: DType
  let isBigEndian: Bool
  let isFortranOrder: Bool
  let shape: Shape

  /// NumPy's names of dtypes: byte order, kind, bytes.
  static let descriptors: [(name: String, dtype: DType)] = [
    ("|b1", .bool), ("|u1", .u8), ("|i1", .i8), ("<u2", .u16), ("<i2", .i16), ("<u4", .u32), ("<i4", .i32),
    ("<u8", .u64), ("<i8", .i64), ("<f2", .f16), ("<f4", .f32), ("<f8", .f64), ("<c8", .c64),
  ]

  /// - Throws: `damaged` when the text is not the dictionary that NumPy writes; `unsupported` for dtypes that are not read.
  init(_ text: [UInt8]) throws(KistError) {
    var literal = PythonLiteral(text)
    var descriptor: String?
    var order: Bool?
    var sizes: [Int]?
    try literal.readDictionary { (key, literal) throws(KistError) in
      switch key {
      case "descr" where descriptor == nil: descriptor = try NpyHeader.descriptor(&literal)
      case "fortran_order" where order == nil: order = try literal.readBool()
      case "shape" where sizes == nil: sizes = try literal.readTuple()
      default: throw KistError(.damaged, field: "header: \(key)", "twice there, or not a key that NumPy writes")
      }
    }
    guard let descriptor, let order, let sizes else {
      throw KistError(.damaged, field: "header", "one of descr, fortran_order and shape is missing")
    }
    guard sizes.count <= Shape.maximumRank else {
      throw KistError(
        .unsupported, field: "header: shape", "\(sizes.count) is more than \(Shape.maximumRank) dimensions")
    }
    let byteOrder = descriptor.first.flatMap { "<>=|".contains($0) ? $0 : nil }
    guard let byteOrder, let known = Self.descriptors.first(where: { $0.name.dropFirst() == descriptor.dropFirst() })
    else { throw KistError(.unsupported, field: "header: descr", "arrays of '\(descriptor)' are not read") }
    dtype = known.dtype
    isBigEndian = byteOrder == ">"
    isFortranOrder = order
    shape = Shape(sizes)
  }

  private static func descriptor(_ literal: inout PythonLiteral) throws(KistError) -> String {
    if let text = try literal.readString() { return text }
    throw KistError(
      .unsupported, field: "header: descr", "a structured array", advice: "save its fields as arrays of their own")
  }
}

/// As much of Python's literals as the header of a .npy file has.
private struct PythonLiteral {
  private let text: [UInt8]
  private var position = 0

  init(_ text: [UInt8]) { self.text = text }

  /// Reads the whole text as a dictionary; `readValue` reads the value of each key.
  mutating func readDictionary(
    _ readValue: (String, inout PythonLiteral) throws(KistError) -> Void
  ) throws(KistError) {
    guard take("{") else { throw malformed("a dictionary") }
    while !take("}") {
      guard let key = try readString(), take(":") else { throw malformed("a key and a colon") }
      try readValue(key, &self)
      guard take(",") || next == UInt8(ascii: "}") else { throw malformed("a comma or }") }
    }
    skipSpace()
    guard position == text.count else { throw malformed("the end") }
  }

  /// A string without escapes; nil when something else is next.
  mutating func readString() throws(KistError) -> String? {
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    let start = position + 1
    guard let end = text[start...].firstIndex(of: quote),
      !text[start..<end].contains(UInt8(ascii: "\\")),
      let string = String(validating: text[start..<end], as: UTF8.self)
    else { throw malformed("a string that ends") }
    position = end + 1
    return string
  }

  mutating func readBool() throws(KistError) -> Bool {
    if take("True") { return true }
    guard take("False") else { throw malformed("True or False") }
    return false
  }

  /// `()`, `(2,)`, `(2, 3)`, `(2L, 3L)`: Python 2 wrote the last.
  mutating func readTuple() throws(KistError) -> [Int] {
    guard take("(") else { throw malformed("a tuple") }
    var sizes: [Int] = []
    while !take(")") {
      skipSpace()
      let digits = text[position...].prefix { (0x30...0x39).contains($0) }
      guard let size = Int(String(decoding: digits, as: UTF8.self)), digits.count == 1 || digits.first != 0x30 else {
        throw malformed("a size")
      }
      position += digits.count
      sizes.append(size)
      _ = take("L")
      // Without a comma, (2) is a number.
      guard take(",") || sizes.count > 1 && next == UInt8(ascii: ")") else { throw malformed("a comma") }
    }
    return sizes
  }

  /// The byte after any white space.
  private var next: UInt8? {
    mutating get {
      skipSpace()
      return position < text.count ? text[position] : nil
    }
  }

  /// Goes past a word, when it is next.
  private mutating func take(_ word: String) -> Bool {
    skipSpace()
    guard text[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func skipSpace() {
    while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
  }

  private func malformed(_ expected: String) -> KistError {
    KistError(
      .damaged, field: "header", "not of the form that NumPy writes: \(expected) should be at character \(position + 1)"
    )
  }
}
