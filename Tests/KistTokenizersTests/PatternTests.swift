import KistCore
import KistTokenizers
import TestSupport
import Testing

struct PatternTests {
  @Test func `patterns find what the libraries of their dialects find`() throws {
    var compiled: [[[UInt8]]: CompiledPattern] = [:]
    var failures = 0
    let count = try PreTokenizeSamples.forEachRow("patterns.jsonl") { row in
      let key = Array(row.prefix(2))
      if compiled[key] == nil { compiled[key] = try Self.pattern(key) }
      guard let pattern = compiled[key], failures < 40 else { return }
      let found = try pattern.matches(in: row[2]).filter { !$0.isEmpty }.map { Array(row[2][$0]) }
      guard found != Array(row.dropFirst(3)) else { return }
      failures += 1
      Issue.record("\(shown(key)), \(shown([row[2]])): \(shown(found)), not \(shown(Array(row.dropFirst(3))))")
    }
    #expect(count > 500)
  }

  /// The pattern of a dialect's name and a text.
  private static func pattern(_ row: [[UInt8]]) throws -> CompiledPattern {
    let dialect = try #require(RegexDialect(rawValue: String(decoding: row[0], as: UTF8.self)))
    return try CompiledPattern(.regex(String(decoding: row[1], as: UTF8.self), dialect))
  }

  @Test func `classes have the members that the libraries give them`() throws {
    let everything = (UInt32(0)...0x10FFFF).compactMap(Unicode.Scalar.init)
    var text: [UInt8] = []
    for scalar in everything { text += Array(String(scalar).utf8) }
    let table = try readFile(repository + "/Fixtures/tokenizers/pretokenizers/classes.tsv")
    for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: "\t").map(String.init)
      let dialect = try #require(RegexDialect(rawValue: fields[0]))
      var (count, checksum) = (0, UInt64(0xCBF2_9CE4_8422_2325))
      let pattern = try CompiledPattern(.regex(fields[1], dialect))
      try pattern.forEachMatch(in: text, 0..<text.count) { start, end throws(KistError) in
        count += 1
        let scalar = String(decoding: text[start..<end], as: UTF8.self).unicodeScalars.first?.value ?? 0
        for shift in [0, 8, 16, 24] { checksum = (checksum ^ UInt64(scalar >> shift & 0xFF)) &* 0x100_0000_01B3 }
      }
      let hex = String(checksum, radix: 16)
      #expect(String(count) == fields[2] && fields[3].hasSuffix(hex), "\(fields[0]) \(fields[1]): \(count)")
    }
  }

  @Test(arguments: [
    (#"(a)\1"#, RegexDialect.oniguruma), (#"\K"#, .oniguruma), (#"\G"#, .oniguruma), (#"\X"#, .oniguruma),
    (#"(?i)straße"#, .oniguruma), ("(?i)ss", .oniguruma), ("(?i)(?:s)t", .oniguruma), ("(?i)[ß]", .oniguruma),
    (#"(?i)[\p{Lu}]"#, .oniguruma),
    (#"\p{IsGreek}"#, .oniguruma), (#"\pL"#, .oniguruma), (#"\xE9"#, .oniguruma), ("(?s).", .oniguruma),
    ("(?<=a*)b", .oniguruma), ("a{2,1}", .oniguruma), ("a**", .oniguruma), (#"[a-\d]"#, .oniguruma),
    ("[[:foo:]]", .oniguruma), (#"(?<a>b)\g<a>"#, .oniguruma), ("(?~a)", .oniguruma), ("[a-z--b]", .rust),
    ("a{x", .rust), (#"\Z"#, .rust), (#"\R"#, .rust), ("(?U)a", .rust), ("a*", .python), (#"\h"#, .python),
    ("[a[b]]", .python), ("(a|b", .rust), ("a)", .rust), ("[a", .rust), ("*a", .rust), (#"a\"#, .rust),
    (#"\p{Nonsense}"#, .rust), (#"\q"#, .rust), ("(?(1)a)", .oniguruma), ("(*FAIL)", .rust), ("(?{code})", .oniguruma),
  ]) func `what can't be translated exactly is refused`(pattern: String, dialect: RegexDialect) {
    #expect(throws: KistError.self) { try CompiledPattern(.regex(pattern, dialect)) }
  }

  @Test func `a refusal names the construct`() {
    let error = #expect(throws: KistError.self) { try CompiledPattern(.regex(#"a\p{Zork}"#, .rust)) }
    #expect(error?.description.contains("the property 'Zork'") == true)
  }

  @Test func `nesting without end is refused`() {
    let deep = String(repeating: "(", count: 100_000) + String(repeating: ")", count: 100_000)
    #expect(throws: KistError.self) { try CompiledPattern(.regex(deep, .oniguruma)) }
    let brackets = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(throws: KistError.self) { try CompiledPattern(.regex(brackets, .oniguruma)) }
  }

  @Test func `a pattern that backtracks without end is stopped`() throws {
    let pattern = try CompiledPattern(.regex("(?:a|a|aa)+(?:b|c)", .oniguruma))
    #expect(throws: KistError.self) { try pattern.matches(in: [UInt8](repeating: 97, count: 200)) }
  }

  @Test func `long runs need no deep stack`() throws {
    let text = [UInt8](repeating: 97, count: 1_000_000)
    let pattern = try CompiledPattern(.regex(#"(?:\p{L}\p{M}*)+"#, .oniguruma))
    #expect(try pattern.matches(in: text) == [0..<text.count])
  }

  @Test func `anchors see their part of the text only`() throws {
    let pattern = try CompiledPattern(.regex(#"\A.|.\z|(?<=b)c"#, .oniguruma))
    var found: [Range<Int>] = []
    try pattern.forEachMatch(in: Array("abcbcd".utf8), 2..<5) { start, end throws(KistError) in
      found.append(start..<end)
    }
    #expect(found == [2..<3, 4..<5])
  }

  @Test func `matches in text of several bytes lie on its characters`() throws {
    let text = Array("é京😀a京".utf8)
    #expect(try CompiledPattern(.regex("京", .rust)).matches(in: text) == [2..<5, 10..<13])
    #expect(try CompiledPattern(.literal(Array("京".utf8))).matches(in: text) == [2..<5, 10..<13])
    #expect(try CompiledPattern(.literal([])).matches(in: Array("é京".utf8)) == [0..<0, 2..<2, 5..<5])
  }
}
