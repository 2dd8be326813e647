// Components in words, for a person who asks what a tokenizer does.

extension Normalizer {
  package var words: [String] {
    switch self {
    case .sequence(let parts): parts.flatMap(\.words)
    case .nfc: ["NFC"]
    case .nfd: ["NFD"]
    case .nfkc: ["NFKC"]
    case .nfkd: ["NFKD"]
    case .lowercase: ["lowercase"]
    case .nmt: ["Nmt: control characters out, odd spaces to spaces"]
    case .byteLevel: ["bytes as the characters of GPT-2's alphabet"]
    case .stripAccents: ["accents out"]
    case .strip(let left, let right): ["white space out at \(sides(left, right))"]
    case .bert(let cleans, let chinese, let accents, let lowercases):
      [
        "Bert:"
          + [
            cleans ? " control characters out" : nil, chinese ? " spaces around CJK characters" : nil,
            accents ?? lowercases ? " accents out" : nil, lowercases ? " lowercase" : nil,
          ].compactMap(\.self).joined(separator: ",")
      ]
    case .precompiled(let charsmap): ["SentencePiece's character map, \(charsmap.count) bytes"]
    case .replace(let pattern, let content): ["replace \(pattern.words) by \(quoted(content))"]
    case .prepend(let text): ["prepend \(quoted(text))"]
    case .llamaBert(let accents, let lowercases):
      [
        "Bert of llama.cpp: control characters out, spaces around punctuation and CJK characters"
          + (accents ? ", accents out" : "") + (lowercases ? ", lowercase" : "")
      ]
    case .sentencePiece(let spec):
      [
        "SentencePiece:"
          + [
            spec.charsmap.isEmpty ? nil : " character map", spec.addsDummyPrefix ? " a space put before" : nil,
            spec.removesExtraWhitespaces ? " extra spaces out" : nil, spec.escapesWhitespaces ? " spaces as ▁" : nil,
          ].compactMap(\.self).joined(separator: ",")
      ]
    }
  }
}

extension PreTokenizer {
  package var words: [String] {
    switch self {
    case .sequence(let parts): parts.flatMap(\.words)
    case .bert: ["Bert: at white space and punctuation"]
    case .byteLevel(let prefix, let regex):
      [
        (regex ? "GPT-2's pattern, " : "") + "bytes as the characters of GPT-2's alphabet"
          + (prefix ? ", a space put before" : "")
      ]
    case .charDelimiterSplit(let scalar): ["at each \(quoted(Array(String(scalar).utf8)))"]
    case .metaspace(let metaspace):
      [
        "spaces as \(metaspace.replacement), one put before: \(metaspace.prependScheme.rawValue)"
          + (metaspace.splits ? ", split there" : "")
      ]
    case .whitespace: ["words and runs of signs"]
    case .whitespaceSplit: ["at white space"]
    case .split(let pattern, let behavior, let inverted):
      ["split\(inverted ? " at all but" : "") \(pattern.words), \(behavior.rawValue)"]
    case .punctuation(let behavior): ["punctuation, \(behavior.rawValue)"]
    case .digits(let individual): [individual ? "digits one by one" : "digits together"]
    case .unicodeScripts: ["where the script changes"]
    case .fixedLength(let length): ["every \(length) characters"]
    }
  }
}

extension PostProcessor {
  package var words: [String] {
    switch self {
    case .sequence(let parts): parts.flatMap(\.words)
    case .bert(let separator, let classifier), .roberta(let separator, let classifier, _, _):
      ["\(quoted(classifier.content)) before, \(quoted(separator.content)) after"]
    case .template(let single, let pair): [single.map(\.words), pair.map(\.words)].map { $0.joined(separator: " ") }
    case .byteLevel: ["ByteLevel: offsets only"]
    }
  }
}

extension PostProcessor.TemplateItem {
  fileprivate var words: String {
    switch self {
    case .sequence(let number, _): number == 0 ? "A" : "B"
    case .special(let name, _, _): String(decoding: name, as: UTF8.self)
    }
  }
}

extension Decoder {
  package var words: [String] {
    switch self {
    case .sequence(let parts): parts.flatMap(\.words)
    case .bpe(let suffix): ["\(quoted(suffix)) to a space"]
    case .byteLevel: ["GPT-2's alphabet to bytes"]
    case .wordPiece(let prefix, let cleansUp):
      ["words joined at \(quoted(prefix))" + (cleansUp ? ", spaces before punctuation out" : "")]
    case .metaspace(let metaspace): ["\(metaspace.replacement) to a space"]
    case .ctc(let pad, let delimiter, _): ["CTC: repeats and \(quoted(pad)) out, \(quoted(delimiter)) to a space"]
    case .replace(let pattern, let content): ["replace \(pattern.words) by \(quoted(content))"]
    case .fuse: ["joined"]
    case .strip(let content, let start, let stop):
      ["up to \(start) \(quoted(Array(String(content).utf8))) out before, \(stop) after"]
    case .byteFallback: ["byte tokens to bytes"]
    case .sentencePiece: ["SentencePiece: ▁ to a space, byte pieces to bytes"]
    case .bytes: ["bytes joined"]
    }
  }
}

extension Pattern {
  package var words: String {
    switch self {
    case .literal(let bytes): quoted(bytes)
    case .regex(let source, _): "/\(source)/"
    }
  }
}

private func quoted(_ bytes: [UInt8]) -> String { "'\(String(decoding: bytes, as: UTF8.self))'" }

private func sides(_ left: Bool, _ right: Bool) -> String {
  switch (left, right) {
  case (true, true): "both ends"
  case (true, false): "the beginning"
  case (false, true): "the end"
  case (false, false): "neither end"
  }
}
