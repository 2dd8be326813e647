import Foundation
import TestSupport
import Testing

/// `kist tokenizer`, as a person and a program use it. Ids are those of Fixtures/tokenizers, made by the reference libraries.
struct TokenizerCommandTests {
  private struct Golden: Decodable {
    var text: String
    var ids: [Int]
    var vocab: [String: Int]
    var merges: [[String]]
  }

  private static let files = "\(repository)/Fixtures/tokenizers/files"
  private static let gpt2 = "\(files)/gpt2/tokenizer.json"

  private func golden(_ name: String) throws -> [[String: Any]] {
    try readFile("\(Self.files)/\(name)/golden.jsonl").split(separator: UInt8(ascii: "\n")).map {
      try #require(try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])
    }
  }

  private func lines(_ objects: [[String: Any]]) throws -> String {
    try objects.map { String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self) + "\n" }.joined()
  }

  private func objects(_ lines: String) throws -> [[String: Any]] {
    try lines.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test(arguments: ["gpt2", "bert-uncased", "sentencepiece-unigram"], [1, 3])
  func `lines of JSON are encoded and decoded in order`(name: String, threads: Int) throws {
    let golden = Array(repeatElement(try golden(name), count: 40).joined())
    let source = "\(Self.files)/\(name)"
    let texts = try lines(golden.map { ["text": $0["text"] ?? ""] })
    let encoded = try kist(
      "tokenizer", "encode", source, "--jsonl", "--special-tokens", "none", "--threads", "\(threads)", input: texts)
    try #require(encoded.status == 0, "\(encoded.errors)")
    let ids = try objects(encoded.output).map { $0["ids"] as? [Int] }
    #expect(ids == golden.map { $0["ids"] as? [Int] })
    let decoded = try kist(
      "tokenizer", "decode", source, "--jsonl", "--special", "keep", input: try lines(ids.map { ["ids": $0 ?? []] }))
    #expect(try objects(decoded.output).map { $0["text"] as? String } == golden.map { $0["decoded"] as? String })
  }

  @Test func `a text is shown in pieces, read from standard input, and comes back`() throws {
    let plain = try kist("tokenizer", "encode", Self.gpt2, "a cat")
    #expect(plain.status == 0 && !plain.output.isEmpty)
    #expect(try kist("tokenizer", "encode", Self.gpt2, "-", input: "a cat").output == plain.output)
    let shown = try kist("tokenizer", "encode", Self.gpt2, "a cat", "--show").output
    #expect(shown.contains("bytes") && shown.contains("61"))
    let ids = plain.output.split(whereSeparator: \.isWhitespace).map(String.init)
    #expect(try KistProcess.run(["tokenizer", "decode", Self.gpt2] + ids).output == "a cat\n")
  }

  @Test func `a special token in a text is parsed or text, as asked`() throws {
    let parsed = try kist("tokenizer", "encode", Self.gpt2, "<|endoftext|>")
    #expect(parsed.output.split(separator: " ").count == 1)
    let text = try kist("tokenizer", "encode", Self.gpt2, "<|endoftext|>", "--special", "text")
    #expect(text.status == 0 && text.output.split(separator: " ").count > 1)
  }

  @Test func `tokenizers that differ are told apart, and the first difference is shown`() throws {
    #expect(try kist("tokenizer", "verify", Self.gpt2, "--against", Self.gpt2).status == 0)
    let folder = try TemporaryFolder()
    try writeFile(Array("same\nUPPER lower\n".utf8), folder.file("text.txt"))
    let result = try kist(
      "tokenizer", "verify", Self.gpt2, "--against", "\(Self.files)/bert-uncased", "--text", "text.txt", "--json",
      in: folder)
    let comparison = try result.json()["comparison"] as? [String: Any]
    #expect(result.status == 1 && comparison?["same"] as? Bool == false)
    #expect((comparison?["difference"] as? [String: Any])?["place"] as? String == "line 1 of text.txt")
  }

  @Test func `a vocabulary is summed up and searched, and a merge shown step by step`() throws {
    let summary = try kist("tokenizer", "inspect", Self.gpt2, "--json").json()
    #expect(summary["model"] as? String == "BPE" && summary["reference"] as? String == "tokenizers")
    #expect(
      (summary["special_tokens"] as? [[String: Any]])?.contains { $0["text"] as? String == "<|endoftext|>" } == true)
    let found = try kist("tokenizer", "inspect", Self.gpt2, "--search", "<|end", "--json").json()
    #expect((found["found"] as? [Any])?.count == 1)
    let merged = try kist("tokenizer", "inspect", Self.gpt2, "--merges", "the", "--json").json()
    let pieces = (merged["merges"] as? [String: Any])?["pieces"] as? [[String: Any]]
    let steps = try #require(pieces?.first?["steps"] as? [[String: Any]])
    #expect(steps.first?["symbols"] as? [String] == ["t", "h", "e"] && steps.count >= 2)
    let none = try kist("tokenizer", "inspect", "\(Self.files)/bert-uncased", "--merges", "the")
    #expect(none.status == 2 && none.errors.contains("WordPiece"))
  }

  @Test(arguments: [1, 4])
  func `training on a file learns what the reference learns from it`(threads: Int) throws {
    let golden = try JSONDecoder().decode(
      Golden.self, from: Data(try readFile("\(repository)/Fixtures/tokenizers/training/byte-level.json")))
    let folder = try TemporaryFolder()
    let result = try kist(
      "tokenizer", "train", "\(repository)/LICENSE", "--vocab-size", "600", "--special-token", "<|endoftext|>", "-o",
      "t.json", "--threads", "\(threads)", in: folder)
    try #require(result.status == 0, "\(result.errors)")
    let written = try JSONSerialization.jsonObject(with: Data(try readFile(folder.file("t.json")))) as? [String: Any]
    let model = try #require(written?["model"] as? [String: Any])
    #expect(model["vocab"] as? [String: Int] == golden.vocab)
    let merges = (model["merges"] as? [Any])?.map { merge in
      (merge as? [String]) ?? (merge as? String)?.split(separator: " ").map(String.init)
    }
    #expect(merges == golden.merges)
    let encoded = try kist("tokenizer", "encode", "t.json", golden.text, in: folder)
    #expect(encoded.output.split(whereSeparator: \.isWhitespace).map { Int($0) } == golden.ids)
    #expect(try kist("tokenizer", "train", "\(repository)/LICENSE", "-o", "t.json", in: folder).status == 2)
  }

  /// As `enable_truncation(5)` and `enable_padding(pad_id=0)` have it, and `enable_truncation(4, stride=1)`.
  @Test func `texts are cut and filled up on request, and what is cut off is printed in windows`() throws {
    let bert = "\(Self.files)/bert-uncased"
    let input = try lines([["text": "the chai thou"], ["text": "a", "pair": "the"], ["text": "a"]])
    let result = try kist(
      "tokenizer", "encode", bert, "--jsonl", "--truncate", "5", "--pad", "longest", input: input)
    try #require(result.status == 0, "\(result.errors)")
    let found = try objects(result.output)
    #expect(
      found.map { $0["ids"] as? [Int] } == [[2, 281, 64, 105, 3], [2, 1, 3, 281, 3], [2, 1, 3, 0, 0]])
    #expect(
      found.map { $0["type_ids"] as? [Int] } == [[0, 0, 0, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]])
    #expect(found.last?["attention_mask"] as? [Int] == [1, 1, 1, 0, 0])

    #expect(try kist("tokenizer", "encode", bert, "a", "--pad", "file").output == "2 1 3 0 0 0 0 0\n")
    let windows = try kist("tokenizer", "encode", bert, "the chai", "--truncate", "4", "--stride", "1")
    #expect(windows.output == "2 281 64 3\n2 64 105 3\n2 105 32 3\n")
    #expect(try kist("tokenizer", "encode", Self.gpt2, "a", "--pad", "4", "--pad-token", "<|endoftext|>").status == 0)
  }

  @Test(arguments: [
    (["--truncate", "1"], 2, "no room"), (["--pad", "4", "--pad-token", "[NONE]"], 2, "[NONE]"),
    (["--truncate", "4", "--stride", "2"], 2, "stride"),
    (["--truncate", "4", "--truncate-strategy", "only-second"], 2, "second"),
    (["--stride", "1"], 64, "--truncate"), (["--pad-side", "left"], 64, "--pad"),
    (["--truncate", "x"], 64, "truncate"),
  ])
  func `lengths that can't be are refused`(arguments: [String], status: Int32, words: String) throws {
    let result = try KistProcess.run(
      ["tokenizer", "encode", "\(Self.files)/bert-uncased", "the chai thou"] + arguments)
    #expect(result.status == status && result.errors.contains(words), "\(result.errors)")
  }

  @Test func `bad lines, ids and files are one error each`() throws {
    let calls: [(arguments: [String], input: String, words: String)] = [
      (["encode", Self.gpt2, "--jsonl"], "{\"text\": \"a\"}\n{\"txt\": 1}\n", "line 2 of standard input"),
      (["decode", Self.gpt2, "--jsonl"], "{\"ids\": [-1]}\n", "ids"),
      (["decode", Self.gpt2, "x"], "", "'x'"),
      (["encode", "no.json", "a"], "", "no.json"),
      (["encode", "\(repository)/LICENSE", "a"], "", "LICENSE"),
      (["encode", "\(repository)/Fixtures/dtypes.safetensors", "a"], "", "dtypes.safetensors"),
    ]
    for call in calls {
      let result = try KistProcess.run(["tokenizer"] + call.arguments, input: call.input)
      #expect(result.status == 2 && result.errors.contains(call.words), "\(call.arguments): \(result.errors)")
      #expect(result.errors.filter { $0 == "\n" }.count == 1, "\(result.errors)")
    }
  }
}
