import KistCore
import TestSupport
import Testing

@Suite struct JSONTests {
  private func parse(_ text: String, depth: Int = 64) throws -> JSONValue {
    try parse(Array(text.utf8), depth: depth)
  }

  private func parse(_ bytes: [UInt8], depth: Int = 64) throws -> JSONValue {
    try JSONDocument(unsafe bytes.span.bytes, depth: depth).root
  }

  @Test func `members keep their order, and those that repeat are all there`() throws {
    let root = try parse(#"{"b": 1, "a": 2, "b": 3, "": 4}"#)
    let members = try #require(root.members)
    #expect(members.map(\.key) == ["b", "a", "b", ""])
    #expect(members.map(\.value.int) == [1, 2, 3, 4])
    #expect(root["b"]?.int == 1)
    #expect(root["c"] == nil)
    #expect(root.array == nil)
  }

  @Test func `members and elements are read one by one as in a list`() throws {
    let root = try parse(#"{"b": [1, 2, 3], "a": {}, "b": []}"#)
    let members = try #require(root.memberSequence)
    #expect(members.map(\.key) == ["b", "a", "b"])
    #expect(members.first { $0.key == "b" }?.value.elementSequence?.map(\.value.int) == [1, 2, 3])
    #expect(root.elementSequence == nil)
    #expect(root["b"]?.memberSequence == nil)
    #expect(root["a"]?.memberSequence?.map(\.key) == [])
  }

  @Test func `keys are compared byte by byte`() throws {
    let root = try parse("{\"e\u{301}\": 1, \"\u{e9}\": 2}")
    #expect(root["\u{e9}"]?.int == 2)
    #expect(root["e\u{301}"]?.int == 1)
  }

  @Test func `values have one type each`() throws {
    let values = try #require(parse(#"[null, true, false, 1, 1.5, "x", [], {}]"#).array)
    #expect(values.map(\.isNull) == [true] + [Bool](repeating: false, count: 7))
    #expect(values.map(\.bool) == [nil, true, false, nil, nil, nil, nil, nil])
    #expect(values.map(\.int) == [nil, nil, nil, 1, nil, nil, nil, nil])
    #expect(values.map(\.double) == [nil, nil, nil, 1, 1.5, nil, nil, nil])
    #expect(values.map(\.string) == [nil, nil, nil, nil, nil, "x", nil, nil])
    #expect(values.map { $0.array?.count } == [nil, nil, nil, nil, nil, nil, 0, nil])
    #expect(values.map { $0.members?.count } == [nil, nil, nil, nil, nil, nil, nil, 0])
  }

  @Test func `integers of more than 64 bits leave all around them as it was`() throws {
    let value = try parse(
      #"{"a\\": "18446744073709551616\"", "b": [-18446744073709551616, 12345678901234567890], "c": 1e22}"#)
    #expect(value["a\\"]?.string == "18446744073709551616\"")
    #expect(value["b"]?.array?.map(\.double) == [-0x1p64, 12_345_678_901_234_567_890])
    #expect(value["c"]?.double == 1e22)
    #expect(throws: KistError.self) { try parse(#"{"a": 18446744073709551616, "b": 01}"#) }
  }

  @Test func `escapes stand for their characters`() throws {
    let text = try #require(parse(#""\"\\\/\b\f\n\r\t\u0000\u00e9\ud83e\udd99é🦙""#).string)
    #expect(Array(text.unicodeScalars) == Array("\"\\/\u{8}\u{c}\n\r\t\0\u{e9}\u{1f999}é🦙".unicodeScalars))
  }

  @Test(
    arguments: [
      (text: "0", int: 0, uint64: 0, double: 0), ("-0", 0, 0, 0), ("-1", -1, nil, -1),
      ("9223372036854775807", .max, 9_223_372_036_854_775_807, 0x1p63),
      ("-9223372036854775808", .min, nil, -0x1p63),
      ("9223372036854775808", nil, 9_223_372_036_854_775_808, 0x1p63),
      ("18446744073709551615", nil, .max, 0x1p64), ("1.0", nil, nil, 1), ("1e2", nil, nil, 100),
      // Wider than 64 bits, as Python writes them.
      ("18446744073709551616", nil, nil, 0x1p64), ("-9223372036854775809", nil, nil, -0x1p63),
      ("1000000000000000019884624838656", nil, nil, 1e30), ("-2.5E-3", nil, nil, -0.0025), ("0.1", nil, nil, 0.1),
      ("5e-324", nil, nil, .leastNonzeroMagnitude),
    ] as [(text: String, int: Int?, uint64: UInt64?, double: Double?)])
  func `numbers are what they say`(text: String, int: Int?, uint64: UInt64?, double: Double?) throws {
    let value = try parse(text)
    #expect(value.int == int)
    #expect(value.uint64 == uint64)
    #expect(value.double == double)
  }

  @Test(arguments: [
    "", " ", "nul", "tru", "01", "+1", "1.", ".5", "1e", "0x1", "NaN", "1e400", "[1,]",
    "{,}", #"{"a"}"#, #"{"a":}"#, "{a: 1}", "['a']", "[1] 2", "\"\t\"", #""\x""#, #""\u12""#, #""\ud800""#,
    #""\udc00\ud800""#, "[1 2]", "]", "\u{feff}[", "// x",
  ])
  func `what is not JSON is refused`(text: String) {
    #expect { try parse(text) } throws: { ($0 as? KistError)?.kind == .damaged }
  }

  @Test(
    arguments: [
      [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
      [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0x80, 0x22],
    ] as [[UInt8]])
  func `what is not UTF-8 is refused`(bytes: [UInt8]) {
    #expect { try parse(bytes) } throws: { ($0 as? KistError)?.kind == .damaged }
  }

  @Test func `a text that is cut short is refused, wherever`() throws {
    let text = Array(#"{"a": [1, -2.5, "é\u00e9"], "b": {"c": null, "d": [true, false]}}"#.utf8)
    _ = try parse(text)
    for length in 0..<text.count {
      #expect(throws: KistError.self, "\(length) bytes") { try parse(Array(text[..<length])) }
    }
  }

  @Test func `nesting is bounded`() throws {
    for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
      func nested(_ levels: Int) -> String {
        String(repeating: open, count: levels) + (open == "[" ? "" : "1") + String(repeating: close, count: levels)
      }
      for levels in [1, 7] { _ = try parse(nested(levels), depth: 8) }
      for levels in [9, 64, 1_000_000] {
        #expect { try parse(nested(levels), depth: 8) } throws: { ($0 as? KistError)?.kind == .damaged }
      }
    }
  }

  @Test func `a value outlives the variable that held its document`() throws {
    var values: [JSONValue] = []
    for number in 0..<100 { values.append(try parse(#"{"a": [\#(number), "\#(number)"]}"#)) }
    for (number, value) in values.enumerated() {
      #expect(value["a"]?.array?.first?.int == number)
      #expect(value["a"]?.array?.last?.string == "\(number)")
    }
  }
}

@Suite struct JSONTextTests {
  @Test func `members come in the order given, without white space`() throws {
    var text = JSONText()
    text.object([
      ("b", { $0.literal("1") }), ("a", { $0.array([1, 2, 3]) { $0.literal(String($1)) } }),
      ("b", { $0.object([]) }), ("c", { $0.array([Int]()) { $0.literal(String($1)) } }),
    ])
    #expect(String(decoding: text.bytes, as: UTF8.self) == #"{"b":1,"a":[1,2,3],"b":{},"c":[]}"#)
  }

  @Test func `every character comes back`() throws {
    let scalars = (0..<0x3000).compactMap(Unicode.Scalar.init) + ["\u{fffe}", "\u{1f999}", "\u{10ffff}"]
    var string = String.UnicodeScalarView()
    string.append(contentsOf: scalars)
    var text = JSONText()
    text.string(String(string))
    let value = try JSONDocument(unsafe text.bytes.span.bytes).root.string
    #expect(value.map { Array($0.unicodeScalars) } == scalars)
  }

  // As serde_json writes them, so that headers are those of the safetensors library.
  @Test func `only what has to be escaped is escaped, shortly where JSON has a short form`() {
    var text = JSONText()
    text.string("\"\\/\u{0}\u{8}\u{9}\u{a}\u{b}\u{c}\u{d}\u{1f}\u{7f}é")
    #expect(String(decoding: text.bytes, as: UTF8.self) == #""\"\\/\u0000\b\t\n\u000b\f\r\u001f"# + "\u{7f}é\"")
  }
}
