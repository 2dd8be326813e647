import Foundation
import KistCore
import KistTokenizers
import TestSupport

/// The components that `Fixtures/make/pretokenizers.py` tried, by its names.
enum PreTokenizeSamples {
  static let folder =
    ProcessInfo.processInfo.environment["KIST_PRETOKENIZER_FIXTURES"]
    ?? repository + "/Fixtures/tokenizers/pretokenizers"

  /// Calls `body` with each row of a file of JSON arrays of strings.
  ///
  /// - Returns: How many there are.
  static func forEachRow(_ file: String, _ body: ([[UInt8]]) throws -> Void) throws -> Int {
    var count = 0
    for line in try readFile(folder + "/" + file).split(separator: UInt8(ascii: "\n")) {
      let line = Array(line)
      let document = unsafe try JSONDocument(line.span.bytes)
      try body((document.root.array ?? []).map { Array(($0.string ?? "not a string").utf8) })
      count += 1
    }
    return count
  }

  static func component(_ name: String) -> PreTokenizer? {
    components[name] ?? behaviorComponent(name.split(separator: " ").map(String.init))
  }

  /// `split words removed False` and the like.
  private static func behaviorComponent(_ words: [String]) -> PreTokenizer? {
    guard let behavior = words.lazy.compactMap({ behaviors[$0] }).first else { return nil }
    let inverted = words.last == "True"
    switch words.prefix(2).joined(separator: " ") {
    case "split ab": return .split(.literal(Array("ab".utf8)), behavior, inverted: inverted)
    case "split nothing": return .split(.literal([]), behavior, inverted: inverted)
    case "split words": return .split(.regex(#"\w+|[^\w\s]+"#, .oniguruma), behavior, inverted: inverted)
    case "split spaces": return .split(.regex(#"\s+|(?=京)"#, .oniguruma), behavior, inverted: inverted)
    default: return words.first == "punctuation" ? .punctuation(behavior) : nil
    }
  }

  private static let behaviors: [String: SplitBehavior] = [
    "removed": .removed, "isolated": .isolated, "merged_with_previous": .mergedWithPrevious,
    "merged_with_next": .mergedWithNext, "contiguous": .contiguous,
  ]

  private static let whole = PreTokenizer.byteLevel(addsPrefixSpace: false, usesRegex: false)

  /// Patterns cut one after the other, then `ByteLevel`.
  private static func plain(_ patterns: String...) -> PreTokenizer {
    .sequence(patterns.map { .split(.regex($0, .oniguruma), .isolated, inverted: false) } + [whole])
  }

  private static func metaspace(
    _ scheme: Metaspace.PrependScheme, splits: Bool = true, replacement: Unicode.Scalar = "▁"
  ) -> PreTokenizer {
    var metaspace = Metaspace()
    (metaspace.prependScheme, metaspace.splits, metaspace.replacement) = (scheme, splits, replacement)
    return .metaspace(metaspace)
  }

  static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  private static let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  static let llama3 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"# + tail
  private static let upper = #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
  private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
  private static let casedTail = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private static let components: [String: PreTokenizer] = [
    "bert": .bert,
    "bytelevel": .byteLevel(addsPrefixSpace: false, usesRegex: true),
    "bytelevel prefix": .byteLevel(addsPrefixSpace: true, usesRegex: true),
    "bytelevel whole": whole,
    "bytelevel prefix whole": .byteLevel(addsPrefixSpace: true, usesRegex: false),
    "delimiter -": .charDelimiterSplit("-"),
    "delimiter 京": .charDelimiterSplit("京"),
    "metaspace always": metaspace(.always),
    "metaspace never": metaspace(.never),
    "metaspace first": metaspace(.first),
    "metaspace whole": metaspace(.first, splits: false),
    "metaspace _": metaspace(.always, replacement: "_"),
    "whitespace": .whitespace,
    "whitespace split": .whitespaceSplit,
    "digits": .digits(individual: false),
    "digits individual": .digits(individual: true),
    "scripts": .unicodeScripts,
    "fixed 1": .fixedLength(1),
    "fixed 3": .fixedLength(3),
    "xlnet": .sequence([.whitespaceSplit, metaspace(.first)]),
    "starcoder": .sequence([.digits(individual: true), .byteLevel(addsPrefixSpace: false, usesRegex: true)]),
    "falcon": .sequence([
      .punctuation(.contiguous), .byteLevel(addsPrefixSpace: false, usesRegex: true), .digits(individual: false),
      .split(.regex("[0-9][0-9][0-9]", .oniguruma), .isolated, inverted: false),
    ]),
    "bytelevel after digits": .sequence([
      .digits(individual: true), .byteLevel(addsPrefixSpace: true, usesRegex: true),
    ]),
    "scripts and punctuation": .sequence([.unicodeScripts, .punctuation(.removed)]),
    "llama3": plain(llama3),
    "qwen2": plain(contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + tail),
    "qwen3.5": plain(
      contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
        + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#),
    "o200k": plain(
      "\(upper)*\(lower)+\(contractions)?|\(upper)+\(lower)*\(contractions)?" + #"|\p{N}{1,3}"# + casedTail),
    "tekken": plain("\(upper)*\(lower)+|\(upper)+\(lower)*" + #"|\p{N}"# + casedTail),
    "deepseek": plain(
      #"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+",
      ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
        + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#),
    "gpt2 inverted": .split(.regex(gpt2, .oniguruma), .removed, inverted: true),
    "gpt2 contiguous": .split(.regex(gpt2, .oniguruma), .contiguous, inverted: false),
  ]
}
