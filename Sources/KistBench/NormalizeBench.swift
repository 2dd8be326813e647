import ArgumentParser
import Foundation
import KistCore
import KistTokenizers

/// Normalizers, against those of tokenizers. One thread; the best of several runs.
func normalizeBench(_ options: BenchOptions, tokenizers: String) throws {
  print("\nNormalizing (one thread, best of \(options.runs))")
  var normalizers: [(name: String, normalizer: Normalizer)] = [
    ("NFC", .nfc), ("NFKC", .nfkc), ("Lowercase", .lowercase),
    ("Bert", .bert(cleanText: true, handlesChineseCharacters: true, stripsAccents: nil, lowercases: true)),
  ]
  try withTemporaryFolder(in: options.folder) { folder in
    guard runScript("corpora.py", [folder], options) else { return }
    let charsmap = "\(folder)/charsmap"
    let unigram = "\(tokenizers)/sentencepiece-unigram/tokenizer.model"
    if FileManager.default.fileExists(atPath: unigram),
      case .sentencePiece(let settings) = try TokenizerSource.read(path: unigram).normalizer
    {
      try Data(settings.charsmap).write(to: URL(fileURLWithPath: charsmap))
      normalizers.append(("Precompiled", .precompiled(charsmap: settings.charsmap)))
    }
    row("", "", "Kist", "tokenizers", "")
    for (name, normalizer) in normalizers {
      let stage = try NormalizerStage(normalizer)
      for text in ["english", "japanese", "mixed"] {
        let path = "\(folder)/\(text).txt"
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let ours = try best(of: options.runs) {
          var normalized = NormalizedText(bytes: bytes)
          try stage.apply(to: &normalized)
        }
        let theirs = runPeer("normalizer_peer.py", [name, path, "\(options.runs)", charsmap], options)?["seconds"]
        row(
          "\(name), \(text)", "", megabytesPerSecond(bytes.count, ours),
          theirs.map { megabytesPerSecond(bytes.count, $0) } ?? "–", theirs.map { times($0 / ours) } ?? "")
      }
    }
  }
}

struct Normalize: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Normalizers, against those of tokenizers.")
  @OptionGroup var options: BenchOptions
  @Option(help: "A folder with tokenizers, laid out as ../shared/data/tokenizers.")
  var tokenizers = Tokenize.defaultFolder
  func run() throws { try normalizeBench(options, tokenizers: tokenizers) }
}
