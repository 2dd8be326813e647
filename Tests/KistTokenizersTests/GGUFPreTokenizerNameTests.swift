import KistCore
import KistTokenizers
import TestSupport
import Testing

/// Whether the name that is written makes llama.cpp cut as tokenizer.json says. How llama.cpp cuts under each name is in
/// ``GGUFPreTokenizer``, which Fixtures/tokenizers/gguf/golden.jsonl holds against llama.cpp itself.
@Suite struct GGUFPreTokenizerNameTests {
  private static let whole = PreTokenizer.byteLevel(addsPrefixSpace: false, usesRegex: false)
  private static let gpt2 = PreTokenizer.byteLevel(addsPrefixSpace: false, usesRegex: true)

  private static func patterns(_ patterns: String...) -> PreTokenizer {
    .sequence(patterns.map { .split(.regex($0, .oniguruma), .isolated, inverted: false) } + [whole])
  }

  /// A way of cutting that models have, and what llama.cpp calls it.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var ignoresMerges = false
    var preTokenizer: PreTokenizer
    /// Characters that llama.cpp cuts otherwise, whatever its name.
    var different = Different.longS
    var testDescription: String { name }
  }

  enum Different: Sendable {
    case none
    /// ſ is an s where letters' case does not count, and llama.cpp lists the letters.
    case longS
    /// It tells the case of ASCII's letters alone, and knows no marks.
    case casesAndMarks
    /// It leaves a space before digits with them, which no merge takes together; and the file looks for digits among the characters that stand
    /// for bytes.
    case numbers
    /// What it writes as a class of signs holds no white space.
    case wideSpaces

    func has(_ scalar: Unicode.Scalar) -> Bool {
      let category = scalar.properties.generalCategory
      switch self {
      case .none: return false
      case .longS: return scalar == "ſ"
      case .casesAndMarks:
        let categories: Set<Unicode.GeneralCategory> = [
          .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .nonspacingMark, .spacingMark,
          .enclosingMark,
        ]
        return !scalar.isASCII && categories.contains(category)
      case .numbers: return !scalar.isASCII || category == .decimalNumber
      case .wideSpaces: return scalar == "\u{3000}" || scalar == "\u{2028}"
      }
    }
  }

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let words = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"#
  private static let (upper, lower) = (#"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#, #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#)

  private static func cased(_ suffix: String, _ digits: String) -> String {
    let lead = #"[^\r\n\p{L}\p{N}]?"#
    return lead + upper + "*" + lower + "+" + suffix + "|" + lead + upper + "+" + lower + "*" + suffix + "|" + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  private static let cases: [Case] = [
    Case(name: "gpt-2", preTokenizer: gpt2, different: .none),
    Case(name: "smollm", preTokenizer: .sequence([.digits(individual: true), gpt2]), different: .none),
    Case(name: "llama-bpe", ignoresMerges: true, preTokenizer: patterns(words + #"\p{N}{1,3}"# + tail)),
    Case(name: "dbrx", preTokenizer: patterns(words + #"\p{N}{1,3}"# + tail)),
    Case(name: "qwen2", preTokenizer: patterns(words + #"\p{N}"# + tail)),
    Case(
      name: "qwen35",
      preTokenizer: patterns(
        contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
          + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#)),
    Case(
      name: "gpt-4o", preTokenizer: patterns(cased(contractions + "?", #"\p{N}{1,3}"#)),
      different: .casesAndMarks),
    Case(
      name: "tekken", ignoresMerges: true, preTokenizer: patterns(cased("", #"\p{N}"#)), different: .casesAndMarks),
    Case(
      name: "deepseek-v3",
      preTokenizer: patterns(
        #"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+",
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
          + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#), different: .none),
    Case(
      name: "falcon",
      preTokenizer: .sequence([
        .punctuation(.contiguous), gpt2, .digits(individual: false),
        .split(.regex("[0-9][0-9][0-9]", .oniguruma), .isolated, inverted: false),
      ]), different: .numbers),
    Case(name: "bloom", preTokenizer: patterns(#" ?[^(\s|[.,!?…。，、।۔،])]+"#), different: .none),
    Case(
      name: "deepseek-coder",
      preTokenizer: .sequence(
        ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥\u{800}-一가-\u{D7FF}]+"].map {
          .split(.regex($0, .oniguruma), .isolated, inverted: false)
        } + [.digits(individual: true), whole]), different: .wideSpaces),
    Case(
      name: "jais-2",
      preTokenizer: patterns(
        words
          + #"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)"#
          + #"|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"#)),
    Case(
      name: "seed-coder",
      preTokenizer: patterns(
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
      )),
    Case(
      name: "bailingmoe",
      preTokenizer: patterns(
        #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#)),
    Case(
      name: "exaone-moe",
      preTokenizer: patterns(
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"#
          + #"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"#)),
    Case(
      name: "minicpm5", ignoresMerges: true, preTokenizer: patterns(#"\p{N}{1,3}"#, words + #"\p{N}+"# + tail)),
  ]

  private static func definition(_ preTokenizer: PreTokenizer) -> TokenizerDefinition {
    TokenizerDefinition(
      reference: .tokenizers, preTokenizer: preTokenizer,
      model: .bpe(BPEDefinition(vocabulary: Vocabulary(tokens: []), merges: .pairs([]))))
  }

  @Test(arguments: cases)
  func `a way of cutting gets its name`(_ example: Case) throws {
    let name = try GGUFPreTokenizerName.name(
      of: Self.definition(example.preTokenizer), ignoresMerges: example.ignoresMerges, "")
    #expect(name.text == example.name)
  }

  @Test func `a family's own name is taken where it cuts in that way, and no other`() throws {
    func name(_ preTokenizer: PreTokenizer, _ preferred: String) throws -> String {
      try GGUFPreTokenizerName.name(of: Self.definition(preTokenizer), ignoresMerges: false, preferred).text
    }
    #expect(try name(Self.gpt2, "phi-2") == "phi-2")
    #expect(try name(Self.gpt2, "tekken") == "gpt-2")
    #expect(throws: KistError.self) { try name(Self.patterns(#"\w+|\s+"#), "gpt-2") }
    #expect(throws: KistError.self) { try name(.whitespaceSplit, "gpt-2") }
  }

  @Test(arguments: cases)
  func `llama.cpp cuts under a name as tokenizer.json says`(_ example: Case) throws {
    let theirs = try PreTokenizerStage(example.preTokenizer)
    let rules = try GGUFPreTokenizer.named(example.name)
    let ours = try PreTokenizerStage(
      .sequence(rules.patterns.map { .split(.regex($0, .rust), .isolated, inverted: false) } + [Self.whole]))
    #expect(rules.ignoresMerges == example.ignoresMerges)
    let fragments = ScannerTests.fragments.filter { fragment in
      !String(decoding: fragment, as: UTF8.self).unicodeScalars.contains { example.different.has($0) }
    }
    #expect(fragments.count > 40)
    var generator = SeededGenerator(seed: 6)
    var different = 0
    for _ in 0..<3000 {
      let count = Int.random(in: 1...12, using: &generator)
      let text = (0..<count).flatMap { _ in fragments.randomElement(using: &generator) ?? [] }
      let (expected, pieces) = (try cut(text, theirs), try cut(text, ours))
      guard pieces != expected else { continue }
      different += 1
      if different < 5 {
        Issue.record("\(example.name), \(shown([text])): \(shown(pieces)), and tokenizer.json \(shown(expected))")
      }
    }
  }

  private func cut(_ text: [UInt8], _ stage: PreTokenizerStage) throws -> [[UInt8]] {
    var pieces = Pieces(NormalizedText(bytes: text))
    try stage.apply(to: &pieces)
    return pieces.ranges.map { Array(pieces.bytes[$0]) }
  }
}
