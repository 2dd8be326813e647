import KistCore
import KistTokenizers
import TestSupport
import Testing

struct ReaderSourceTests {
  @Test(arguments: tokenizerFixtures)
  func `every fixture is read`(_ name: String) throws {
    let definition = try fixture(name)
    #expect(!definition.model.vocabulary.tokens.isEmpty)
  }

  @Test(
    arguments: [
      (["vocab.txt", "tokenizer.model", "tokenizer.json"], "tokenizer.json"),
      (["tekken.json", "tokenizer.model"], "tokenizer.model"),
      (["vocab.json", "merges.txt", "x.tiktoken"], "x.tiktoken"), (["vocab.json", "vocab.txt"], "vocab.txt"),
      (["vocab.json", "merges.txt", "vocab.txt"], "vocab.json"), (["config.json"], nil),
    ] as [([String], String?)])
  func `the preferred file is chosen`(_ names: [String], chosen: String?) {
    #expect(TokenizerSource.choose(among: names) == chosen)
  }

  @Test func `a folder without a tokenizer, and a file that is none, are named`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: KistError.self) { try TokenizerSource.read(path: folder.file("nothing")) }
    #expect(#expect(throws: KistError.self) { try TokenizerSource.read(path: folder.path) }?.kind == .missing)
    let path = folder.file("tokenizer.json")
    for (text, words) in [
      ("hello", "no tokenizer"), ("{\"model\":", "not valid JSON"), ("GGUF", "cut short"), ("{\"a\":0}", "merges.txt"),
    ] {
      try writeFile(Array(text.utf8), path)
      for name in [path, folder.path] {
        let error = #expect(throws: KistError.self) { try TokenizerSource.read(path: name) }
        #expect(error?.file == path)
        #expect(error.map { "\($0)".contains(words) } == true)
      }
    }
    try writeFile(Array("#version: 0.2\na b c\n".utf8), folder.file("merges.txt"))
    let error = #expect(throws: KistError.self) { try TokenizerSource.read(path: folder.path) }
    #expect(error?.file == folder.file("merges.txt") && error?.field == "line 2")
  }

  @Test func `named bytes are read like a folder`() throws {
    let folder = repository + "/Fixtures/tokenizers/files/vocab-json-gpt2/"
    let definition = try TokenizerSource.read(
      files: { (name: String) throws(KistError) in (try? readFile(folder + name)) },
      names: ["merges.txt", "vocab.json", "tokenizer_config.json"])
    #expect(try definition == fixture("vocab-json-gpt2"))
    #expect(definition.preTokenizer == .byteLevel(addsPrefixSpace: true, usesRegex: true))
    guard case .template(let single, _) = definition.postProcessor else { return #expect(Bool(false)) }
    #expect(single.count == 2)
  }

  @Test func `bare vocabularies get the pipeline of their class`() throws {
    guard case .roberta = try fixture("vocab-json-roberta").postProcessor else { return #expect(Bool(false)) }
    let mask = try fixture("vocab-json-roberta").addedTokens.first { $0.content == Array("<mask>".utf8) }
    #expect(mask?.stripsLeft == true)
    #expect(try fixture("vocab-json-qwen2").normalizer == .nfc)
    guard case .bpe(let clip) = try fixture("vocab-json-clip").model else { return #expect(Bool(false)) }
    #expect(clip.endOfWordSuffix == Array("</w>".utf8))
    #expect(
      try fixture("vocab-txt").normalizer
        == .bert(cleanText: true, handlesChineseCharacters: true, stripsAccents: false, lowercases: true))
  }

  @Test func `tokens called like fields do not make a vocabulary another file`() throws {
    let vocabulary = Array(#"{"model":0,"version":1,"config":2,"vocab":3}"#.utf8)
    let definition = try TokenizerSource.read(
      files: { (name: String) throws(KistError) in name == "vocab.json" ? vocabulary : [] },
      names: ["vocab.json", "merges.txt"])
    #expect(definition.model.vocabulary.tokens.map(\.id) == [0, 1, 2, 3])
    #expect(definition.addedTokens.map(\.id) == [4])
  }

  @Test func `an unknown class is an error that names it`() throws {
    let folder = try TemporaryFolder()
    try writeFile(Array("{}".utf8), folder.file("vocab.json"))
    try writeFile([], folder.file("merges.txt"))
    try writeFile(Array(#"{"tokenizer_class":"FooTokenizer"}"#.utf8), folder.file("tokenizer_config.json"))
    let error = #expect(throws: KistError.self) { try TokenizerSource.read(path: folder.path) }
    #expect(error?.problem.contains("FooTokenizer") == true)
    #expect(error?.file == folder.file("tokenizer_config.json"))
  }
}
