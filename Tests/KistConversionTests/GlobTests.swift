import KistConversion
import KistCore
import Testing

@Suite struct GlobTests {
  @Test(arguments: [
    ("encoder.layer.0.*", "encoder.layer.0.attention.self.key.bias", true),
    ("encoder.layer.0.*", "encoder.layer.10.bias", false),
    ("*", "", true),
    ("", "", true),
    ("", "a", false),
    ("*.weight", "a.b.weight", true),
    ("*.weight", "a.b.weights", false),
    ("*.weight*", "a.b.weights", true),
    ("layer.?.bias", "layer.3.bias", true),
    ("layer.?.bias", "layer.13.bias", false),
    ("layer.[0-2].*", "layer.2.x", true),
    ("layer.[0-2].*", "layer.3.x", false),
    ("layer.[!0-2].*", "layer.3.x", true),
    ("layer.[^0-2].*", "layer.1.x", false),
    ("[abc]", "b", true),
    ("[]]", "]", true),
    ("[a-]", "-", true),
    ("a\\*b", "a*b", true),
    ("a\\*b", "axb", false),
    ("?", "é", true),
    ("*a*b*c*", "xxaxxbxxc", true),
    ("*a*b*c*", "xxaxxcxxb", false),
  ])
  func `a pattern matches the whole name, or not`(pattern: String, name: String, matches: Bool) throws {
    #expect(try Glob(pattern).matches(name) == matches)
  }

  @Test func `a pattern of many stars takes no more than the product of the lengths`() throws {
    let glob = try Glob(String(repeating: "*a", count: 40) + "b")
    #expect(!glob.matches(String(repeating: "a", count: 4000)))
  }

  @Test(arguments: ["[abc", "[", "[z-a]"])
  func `a set that is not closed, or runs backwards, is refused`(pattern: String) {
    #expect(throws: KistError.self) { try Glob(pattern) }
  }

  @Test func `several patterns take what any of them matches, in the order of the elements`() throws {
    struct Named { var name: String }
    let all = ["b.0", "a.0", "a.1", "c"].map(Named.init)
    #expect(try Glob.filter(all, ["a.*", "c"], name: \.name, file: "f").map(\.name) == ["a.0", "a.1", "c"])
    #expect(try Glob.filter(all, [], name: \.name, file: "f").count == 4)
    let error = #expect(throws: KistError.self) { try Glob.filter(all, ["a.*", "d*"], name: \.name, file: "f") }
    #expect(error?.kind == .missing)
    #expect(error?.problem.contains("'d*'") == true)
  }
}
