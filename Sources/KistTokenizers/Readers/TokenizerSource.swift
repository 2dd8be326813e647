import Foundation
import KistCheckpoints
import KistCore

/// Reads a tokenizer from any file or folder that has one, and tells by content what it is.
package enum TokenizerSource {
  private enum Kind {
    case tokenizerJSON(JSONDocument), tekken(JSONDocument), vocabularyJSON, sentencePiece, ranks, wordPieces, gguf
  }

  /// Reads a file or a model's folder.
  ///
  /// - Throws: `missing`, `damaged` or `unsupported`, naming the file and the field.
  package static func read(path: String) throws(KistError) -> TokenizerDefinition {
    try read(path: path, encoding: nil)
  }

  /// - Parameter encoding: For a file of ranks, which encoding it is; nil goes by the file.
  package static func read(path: String, encoding: TiktokenEncoding?) throws(KistError) -> TokenizerDefinition {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      if let file = try gguf(at: path) {
        do throws(KistError) { return try GGUFTokenizer.read(file) } catch { throw error.inFile(path) }
      }
      let (folder, name) = split(path)
      // Files beside it are only looked at for bare vocabularies.
      let files = (try? TokenizerFiles(folder: folder.isEmpty ? "." : folder)) ?? TokenizerFiles(names: []) { _ in nil }
      do throws(KistError) {
        return try read(TokenizerFiles.bytes(path: path), name: name, beside: files, encoding: encoding)
      } catch { throw located(error, name: name, path: path, folder: folder) }
    }
    do throws(KistError) {
      return try read(TokenizerFiles(folder: path), encoding: encoding)
    } catch { throw located(error, name: nil, path: path, folder: path) }
  }

  /// Reads one of a set of files, such as a container's assets: the first there is of tokenizer.json, a SentencePiece model, tekken.json,
  /// ranks, vocab.json with merges.txt, vocab.txt, a GGUF.
  package static func read(
    files: @escaping (String) throws(KistError) -> [UInt8]?, names: [String]
  ) throws(KistError) -> TokenizerDefinition {
    try read(TokenizerFiles(names: names, read: files), encoding: nil)
  }

  /// The same.
  package static func read(files: TokenizerFiles) throws(KistError) -> TokenizerDefinition {
    try read(files, encoding: nil)
  }

  /// The name of the file that ``read(files:names:)`` begins with; nil when none of them is a tokenizer's.
  package static func choose(among names: [String]) -> String? {
    let exact = { (name: String) in names.first { $0.utf8.elementsEqual(name.utf8) } }
    let ending = { (end: String) in names.sorted().first { $0.utf8.suffix(end.utf8.count).elementsEqual(end.utf8) } }
    let hasMerges = exact("merges.txt") != nil
    return exact("tokenizer.json") ?? exact("tokenizer.model") ?? exact("spiece.model")
      ?? exact("sentencepiece.bpe.model") ?? exact("tekken.json") ?? ending(".tiktoken") ?? exact("tiktoken.model")
      ?? (hasMerges ? exact("vocab.json") : nil) ?? exact("vocab.txt") ?? ending(".gguf")
  }

  private static func read(
    _ files: TokenizerFiles, encoding: TiktokenEncoding?
  ) throws(KistError) -> TokenizerDefinition {
    guard let name = choose(among: files.names), let bytes = try files.bytes(name) else {
      throw KistError(
        .missing, "has no tokenizer",
        advice:
          "Kist looks for tokenizer.json, tokenizer.model, tekken.json, *.tiktoken, vocab.json with merges.txt, vocab.txt, *.gguf"
      )
    }
    do throws(KistError) {
      return try read(bytes, name: name, beside: files, encoding: encoding)
    } catch { throw error.inFile(name) }
  }

  private static func read(
    _ bytes: [UInt8], name: String, beside files: TokenizerFiles, encoding: TiktokenEncoding?
  ) throws(KistError) -> TokenizerDefinition {
    switch try kind(bytes) {
    case .tokenizerJSON(let document): return try TokenizerJSON.read(document)
    case .tekken(let document): return try TekkenFile.read(document)
    case .sentencePiece: return try SentencePieceFile.read(bytes)
    case .ranks: return try TiktokenFile.read(bytes, name: name, encoding: encoding)
    case .vocabularyJSON:
      guard let merges = try files.bytes("merges.txt") else {
        throw KistError(.missing, "is a vocabulary, and there is no merges.txt beside it")
      }
      return try MergeFiles.read(vocabulary: bytes, merges: merges, config: TokenizerConfig(files))
    case .wordPieces: return try WordPieceFile.read(bytes, config: TokenizerConfig(files))
    case .gguf: return try GGUFTokenizer.read(bytes)
    }
  }

  /// A file of weights is mapped, however large; nil when it is no GGUF.
  private static func gguf(at path: String) throws(KistError) -> GGUFFile? {
    let file = try MappedFile(path: path)
    let start = unsafe [UInt8](file.pointer(0..<min(4, file.count)))
    guard start == Array("GGUF".utf8) else { return nil }
    return try GGUFFile(file)
  }

  /// What a file is, by its content.
  private static func kind(_ bytes: [UInt8]) throws(KistError) -> Kind {
    if bytes.starts(with: "GGUF".utf8) { return .gguf }
    let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if first == UInt8(ascii: "{") {
      let document = try JSONDocument(bytes, depth: TokenizerJSON.maximumDepth)
      // Vocabularies may have these words as tokens, with ids.
      if document.root["model"]?.memberSequence != nil { return .tokenizerJSON(document) }
      if TekkenFile.recognizes(document) { return .tekken(document) }
      if document.root["version"]?.string != nil { return .tokenizerJSON(document) }
      return .vocabularyJSON
    }
    // The first field of a ModelProto: a piece.
    if bytes.first == 0x0A, (try? SentencePieceModel(bytes))?.pieces.isEmpty == false { return .sentencePiece }
    if TiktokenFile.recognizes(bytes) { return .ranks }
    if isWordPieces(bytes) { return .wordPieces }
    if bytes.first == 0x0A { return .sentencePiece }
    throw KistError(
      .unsupported, "is no tokenizer that Kist knows",
      advice:
        "it reads tokenizer.json, SentencePiece models, tekken.json, tiktoken ranks, vocab.json with merges.txt, vocab.txt, GGUF"
    )
  }

  /// Lines of text, one of them BERT's unknown token.
  private static func isWordPieces(_ bytes: [UInt8]) -> Bool {
    let unknown = Array("[UNK]".utf8)
    return bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).contains { $0.elementsEqual(unknown) }
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    return (String(path[...slash]), String(path[path.index(after: slash)...]))
  }

  /// The error with the file's path as the user gave it.
  private static func located(_ error: KistError, name: String?, path: String, folder: String) -> KistError {
    guard let file = error.file, file != path else { return error.inFile(path) }
    if let name, file.utf8.elementsEqual(name.utf8) {
      var error = error
      error.file = path
      return error
    }
    guard !file.utf8.contains(UInt8(ascii: "/")) else { return error }
    var error = error
    error.file = folder.isEmpty || folder.utf8.last == UInt8(ascii: "/") ? folder + file : folder + "/" + file
    return error
  }
}
