import KistCheckpoints
import KistConversion
import KistCore
import TestSupport
import Testing

/// Against gguf-py: Fixtures/make/gguf_general.py.
@Suite struct GeneralKeyTests {
  private static let cases: [JSONValue] = {
    let bytes = (try? readFile(repository + "/Fixtures/gguf/general.json")) ?? []
    return (try? JSONDocument(bytes, depth: 64).root["cases"]?.array) ?? []
  }()

  @Test func `the golden file is there`() { #expect(Self.cases.count >= 20) }

  @Test(arguments: cases.indices)
  func `names, cards and configurations give the keys that gguf-py makes of them`(_ index: Int) throws {
    let golden = Self.cases[index]
    let folder = try #require(golden["folder"]?.string)
    let count = try #require(golden["parameters"]?.int)
    func json(_ name: String) throws -> JSONValue? {
      try golden["files"]?[name]?.string.map { try JSONDocument(Array($0.utf8), depth: 64).root }
    }
    let keys = GeneralKeys(
      card: golden["files"]?["README.md"]?.string.map { ModelCard($0) } ?? ModelCard(), config: try json("config.json"),
      generation: try json("generation_config.json"), folder: folder, parameterCount: count)
    let wanted = try #require(golden["keys"]?.array)
    #expect(keys.keys.map(\.key) == wanted.compactMap { $0.array?[0].string }, "\(folder)")
    for (ours, theirs) in zip(keys.keys, wanted) {
      #expect(Self.matches(ours.value, theirs.array?[2]), "\(folder): \(ours.key) \(ours.value)")
    }
  }

  private static func matches(_ ours: GGUFValue, _ theirs: JSONValue?) -> Bool {
    switch ours {
    case .string(let bytes): theirs?.string.map { Array($0.utf8) } == bytes
    case .uint32(let number): theirs?.int == Int(number)
    case .int32(let number): theirs?.int == Int(number)
    case .float32(let number): theirs?.double.map { Float($0) } == number
    case .array(_, let elements):
      elements.count == theirs?.array?.count && zip(elements, theirs?.array ?? []).allSatisfy { matches($0, $1) }
    default: false
    }
  }
}
