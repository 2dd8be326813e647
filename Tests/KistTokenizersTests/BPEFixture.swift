import Foundation
import KistCore
import KistTokenizers
import TestSupport

/// A model of Fixtures/tokenizers/bpe, as Fixtures/make/bpe_models.py writes it.
struct BPEFixture: CustomStringConvertible {
  var name: String
  var definition: BPEDefinition
  var bytesAlphabet: Bool
  var cases: [(piece: [UInt8], ids: [UInt32])]

  var description: String { name }

  static let folder = repository + "/Fixtures/tokenizers/bpe"
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

  init(_ name: String) throws {
    let json = try parse(Self.folder + "/" + name)
    self.name = name
    bytesAlphabet = json["bytesAlphabet"]?.bool ?? false
    let isHexadecimal = json["kind"]?.string == "byRank"
    let tokens = (json["vocabulary"]?.array ?? []).enumerated().map { index, entry in
      let text = entry.string ?? entry.array?[0].string ?? ""
      let id = entry.array?[1].int ?? index
      return Vocabulary.Token(bytes: isHexadecimal ? bytes(ofHex: text) : Array(text.utf8), id: UInt32(id))
    }
    let ids = Dictionary(uniqueKeysWithValues: tokens.map { ($0.bytes, $0.id) })
    let options = json["options"]
    let prefix = Array((options?["continuing_subword_prefix"]?.string ?? "").utf8)
    let merges: BPEDefinition.Merges =
      switch json["kind"]?.string {
      case "byRank": .byRank
      case "byScore": .byScore((json["scores"]?.array ?? []).map { Float($0.double ?? 0) })
      default:
        .pairs(
          (json["merges"]?.array ?? []).map { pair in
            let (left, right) = (Array((pair.array?[0].string ?? "").utf8), Array((pair.array?[1].string ?? "").utf8))
            let merged = left + right.dropFirst(prefix.count)
            return BPEDefinition.Pair(left: ids[left] ?? 0, right: ids[right] ?? 0, merged: ids[merged] ?? 0)
          })
      }
    definition = BPEDefinition(vocabulary: Vocabulary(tokens: tokens), merges: merges)
    definition.unknown = (options?["unk_token"]?.string).flatMap { ids[Array($0.utf8)] }
    definition.fusesUnknown = options?["fuse_unk"]?.bool ?? false
    definition.byteFallback = options?["byte_fallback"]?.bool ?? false
    definition.ignoresMerges = options?["ignore_merges"]?.bool ?? false
    definition.continuingSubwordPrefix = prefix
    definition.endOfWordSuffix = Array((options?["end_of_word_suffix"]?.string ?? "").utf8)
    definition.kinds = (json["kinds"]?.array ?? []).map { PieceKind(rawValue: UInt8($0.int ?? 1)) ?? .normal }
    cases = []
    for (field, isHex) in [("cases", false), ("hex", true)] {
      for entry in json[field]?.array ?? [] {
        let text = entry.array?[0].string ?? ""
        let ids = (entry.array?[1].array ?? []).map { UInt32($0.int ?? 0) }
        cases.append((isHex ? bytes(ofHex: text) : Array(text.utf8), ids))
      }
    }
  }

  var model: BPEModel { get throws { try BPEModel(definition, bytesAlphabet: bytesAlphabet) } }

  func record() throws -> [UInt8] { try BPEModel.record(definition, bytesAlphabet: bytesAlphabet) }
}

func parse(_ path: String) throws -> JSONValue {
  let text = try readFile(path)
  return try JSONDocument(unsafe text.span.bytes).root
}

func bytes(ofHex text: String) -> [UInt8] {
  let digits = text.utf8.map { UInt8(String(UnicodeScalar($0)), radix: 16) ?? 0 }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

extension BPEModel {
  init(_ definition: BPEDefinition, bytesAlphabet: Bool = false) throws {
    try self.init(RecordReader(RecordStorage(Self.record(definition, bytesAlphabet: bytesAlphabet))))
  }

  static func record(_ definition: BPEDefinition, bytesAlphabet: Bool) throws -> [UInt8] {
    var writer = RecordWriter()
    try compile(definition, bytesAlphabet: bytesAlphabet, into: &writer)
    return writer.encoded()
  }

  /// The ids of one piece, with nothing in the cache.
  func ids(_ piece: [UInt8]) -> [UInt32] {
    var scratch = BPEScratch()
    var ids: [UInt32] = []
    encode(piece, into: &ids, &scratch)
    return ids
  }
}
