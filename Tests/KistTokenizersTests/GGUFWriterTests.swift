import KistCore
import KistFormat
import KistTokenizers
import TestSupport
import Testing

/// Against llama.cpp's converter: Fixtures/make/gguf_tokenizers.py.
@Suite struct GGUFWriterTests {
  private static let cases: [(key: String, value: JSONValue)] = {
    let bytes = (try? readFile(repository + "/Fixtures/gguf/tokenizers.json")) ?? []
    return (try? JSONDocument(bytes, depth: 64).root["cases"]?.members) ?? []
  }()

  /// What each family's converter decides.
  private static func choice(_ config: JSONValue?) -> GGUFTokenizerWriter.Choice {
    let type = config?["model_type"]?.string ?? ""
    let isPieces = type == "llama" || type == "mistral"
    let names = ["gpt2": "gpt-2", "llama": "llama-bpe", "mistral": "tekken", "bert": "jina-v2-en"]
    return GGUFTokenizerWriter.Choice(
      size: config?["vocab_size"]?.int ?? 0, prefersPieces: isPieces, preTokenizer: names[type] ?? "", spacePrefix: nil,
      statesSpacePrefix: isPieces, fixedTokens: [])
  }

  @Test func `the golden file is there`() { #expect(Self.cases.count >= 5) }

  @Test(arguments: cases.map(\.key))
  func `a tokenizer's keys are those that llama.cpp's converter writes`(_ name: String) throws {
    let golden = try #require(Self.cases.first { $0.key == name }?.value)
    var contents: [String: [UInt8]] = [:]
    for (file, value) in golden["files"]?.members ?? [] { contents[file] = Array(Self.text(value).utf8) }
    if let data = golden["data"]?.string {
      // Real vocabularies are not in the repository.
      guard let folder = shared("tokenizers/\(data)") else { return }
      for file in ["tokenizer.json", "tokenizer.model"] {
        if let bytes = try? readFile("\(folder)/\(file)") { contents[file] = bytes }
      }
    }
    let files = TokenizerFiles(names: contents.keys.sorted()) { name in contents[name] }
    let keys = try #require(try GGUFTokenizerWriter.keys(files, Self.choice(golden["files"]?["config.json"])))
    // What models say of their configuration beside the tokenizer.
    let wanted = try #require(golden["keys"]?.array).filter {
      $0.array?[0].string != "tokenizer.ggml.token_type_count"
    }
    #expect(keys.map(\.key) == wanted.compactMap { $0.array?[0].string })
    for (ours, theirs) in zip(keys, wanted) {
      #expect(Self.matches(ours.value, theirs.array?[2]), "\(ours.key)")
    }
  }

  private static func matches(_ ours: GGUFTokenizerKey.Value, _ theirs: JSONValue?) -> Bool {
    func list(_ elements: [[UInt8]], _ type: String) -> Bool {
      guard let parts = theirs?.array, parts.count == 3 else { return false }
      let framed = elements.flatMap { element in
        (0..<8).map { UInt8(truncatingIfNeeded: element.count >> (8 * $0)) } + element
      }
      return parts[0].string == type && parts[1].int == elements.count
        && parts[2].string == Digest(hashing: framed).hexadecimal
    }
    func word(_ bits: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) } }
    return switch ours {
    case .text(let text): theirs?.string == text
    case .flag(let flag): theirs?.bool == flag
    case .id(let id): theirs?.int == Int(id)
    case .strings(let texts): list(texts, "STRING")
    case .floats(let numbers): list(numbers.map { word($0.bitPattern) }, "FLOAT32")
    case .integers(let numbers): list(numbers.map { word(UInt32(bitPattern: $0)) }, "INT32")
    case .bytes: false
    }
  }

  /// JSON as text again.
  private static func text(_ value: JSONValue) -> String {
    if let members = value.members {
      return "{" + members.map { "\(quoted($0.key)): \(text($0.value))" }.joined(separator: ", ") + "}"
    }
    if let elements = value.array { return "[" + elements.map { text($0) }.joined(separator: ", ") + "]" }
    if let string = value.string { return quoted(string) }
    if let flag = value.bool { return "\(flag)" }
    if let number = value.int { return "\(number)" }
    return value.double.map { "\($0)" } ?? "null"
  }

  private static func quoted(_ text: String) -> String {
    var json = JSONText()
    json.string(text)
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
