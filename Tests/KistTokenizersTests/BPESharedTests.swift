import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// The vocabularies of GPT-2, Llama 3 and Whisper against ids from their libraries. Texts are split by Foundation's regular expressions,
/// which is slow and agrees with the libraries on these texts; the splitting itself is tested elsewhere.
struct BPESharedTests {
  private static let gpt2Pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+"#
    + #"|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+"#
  private static let llama3Pattern =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"#
    + #"| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*|\p{White_Space}*[\r\n]+|\p{White_Space}+(?!\P{White_Space})"#
    + #"|\p{White_Space}+"#

  private func pieces(_ text: String, _ pattern: String) throws -> [[UInt8]] {
    let text = text as NSString
    return try NSRegularExpression(pattern: pattern)
      .matches(in: text as String, range: NSRange(location: 0, length: text.length))
      .map { Array(text.substring(with: $0.range).utf8) }
  }

  /// Compares all texts of a golden file but those of which `isOrdinary` is false; gives how many.
  private func compare(
    _ model: BPEModel, _ folder: String, _ pattern: String, isOrdinary: (String) -> Bool = { _ in true }
  ) throws -> Int {
    let lines = try readFile(try #require(shared("tokenizers/\(folder)/golden.jsonl"))).split(separator: 10)
    var scratch = BPEScratch()
    var count = 0
    for line in lines {
      let json = try JSONDocument(unsafe Array(line).span.bytes).root
      let text = try #require(json["text"]?.string)
      guard isOrdinary(text) else { continue }
      var ids: [UInt32] = []
      for piece in try pieces(text, pattern) { model.encode(piece, into: &ids, &scratch) }
      #expect(ids == json["ids"]?.array?.map { UInt32($0.int ?? 0) }, "\(text.debugDescription)")
      count += 1
    }
    return count
  }

  @Test(.enabled(if: shared("tokenizers/gpt2") != nil)) func `GPT-2's vocabulary gives the ids of tokenizers`() throws {
    let path = try #require(shared("tokenizers/gpt2/tokenizer.json"))
    let json = try #require(try parse(path)["model"])
    let tokens = (json["vocab"]?.members ?? []).map {
      Vocabulary.Token(bytes: Array($0.key.utf8), id: UInt32($0.value.int ?? 0))
    }
    let ids = Dictionary(uniqueKeysWithValues: tokens.map { ($0.bytes, $0.id) })
    let pairs = (json["merges"]?.array ?? []).map { entry in
      let parts = (entry.string ?? "").utf8.split(separator: 32).map(Array.init)
      return BPEDefinition.Pair(
        left: ids[parts[0]] ?? 0, right: ids[parts[1]] ?? 0, merged: ids[parts[0] + parts[1]] ?? 0)
    }
    let vocabulary = Vocabulary(tokens: tokens.sorted { $0.id < $1.id })
    let model = try BPEModel(BPEDefinition(vocabulary: vocabulary, merges: .pairs(pairs)), bytesAlphabet: true)
    #expect(pairs.count == 50_000)
    let count = try compare(model, "gpt2", Self.gpt2Pattern) { !$0.contains("<|endoftext|>") }
    #expect(count > 50)
  }

  @Test(
    .enabled(if: shared("tokenizers/llama3") != nil),
    arguments: [
      ("llama3", "tokenizer.tiktoken", llama3Pattern), ("whisper", "multilingual.tiktoken", gpt2Pattern),
    ])
  func `ranks give the ids of tiktoken`(_ folder: String, _ file: String, _ pattern: String) throws {
    let text = try readFile(try #require(shared("tokenizers/\(folder)/\(file)")))
    let tokens = try text.split(separator: 10).map { line in
      let parts = line.split(separator: 32, omittingEmptySubsequences: false)
      // Whisper's list has "=", which Python reads as no bytes.
      let token = parts[0].elementsEqual("=".utf8) ? Data() : try #require(Data(base64Encoded: Data(parts[0])))
      return Vocabulary.Token(bytes: [UInt8](token), id: UInt32(String(decoding: parts[1], as: UTF8.self)) ?? 0)
    }
    let model = try BPEModel(BPEDefinition(vocabulary: Vocabulary(tokens: tokens), merges: .byRank))
    #expect(try compare(model, folder, pattern) > 50)
  }
}
