import KistCore
import KistFormat
import KistTokenizers

/// The record `kist:tokenizer` of a container: what the tokenizer's files among its assets compile to.
enum CompiledTokenizer {
  /// What came of compiling.
  enum Outcome {
    case compiled([UInt8])
    /// No file of the model is a tokenizer's.
    case none
    /// There is one, and this version can't compile it: the files travel all the same.
    case failed(KistError)
  }

  /// Compiles the tokenizer that a model's files hold.
  static func compile(_ assets: [CheckpointAsset]) -> Outcome {
    do throws(KistError) {
      guard TokenizerSource.choose(among: assets.map(\.path)) != nil else { return .none }
      let definition = try TokenizerSource.read(files: files(assets))
      return .compiled(try Tokenizer.compile(definition))
    } catch {
      // A GGUF need not have a tokenizer.
      return error.kind == .missing && error.field?.hasPrefix("key 'tokenizer.") == true ? .none : .failed(error)
    }
  }

  /// Assets as the files of a tokenizer.
  static func files(_ assets: [CheckpointAsset]) -> TokenizerFiles {
    TokenizerFiles(names: assets.map(\.path)) { (name: String) throws(KistError) in
      guard let asset = assets.first(where: { $0.path.utf8.elementsEqual(name.utf8) }) else { return nil }
      return try content(of: asset)
    }
  }

  private static func content(of asset: CheckpointAsset) throws(KistError) -> [UInt8] {
    guard asset.byteCount <= TokenizerFiles.maximumByteCount else {
      throw KistError(.unsupported, field: asset.path, "\(asset.byteCount) bytes is too large for a tokenizer's file")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(asset.byteCount)
    let chunk = Layout.maximumChunkByteCount
    for start in stride(from: 0, to: asset.byteCount, by: chunk) {
      unsafe try asset.source.withBytes(start..<min(start + chunk, asset.byteCount)) { part throws(KistError) in
        unsafe bytes.append(contentsOf: part)
      }
    }
    return bytes
  }
}

extension Checkpoint {
  /// The files that a tokenizer may be in: those beside the weights, and headers of GGUF files.
  var tokenizerFiles: [CheckpointAsset] {
    guard provenanceFormat == .gguf else { return assets }
    return assets + weightFiles.map { CheckpointAsset(path: $0.path, source: $0.source, entry: nil) }
  }
}

extension Tokenizer {
  /// Opens the tokenizer of any source: a container's compiled record, mapped; else a tokenizer's file or a model's folder.
  ///
  /// - Throws: `missing` when there is no tokenizer; `unsupported` naming the component that this version does not know; `damaged`.
  public static func open(path: String) throws(KistError) -> Tokenizer {
    do throws(KistError) {
      if let container = try container(at: path) { return try open(container) }
      return try Tokenizer(try TokenizerSource.read(path: path))
    } catch {
      throw error.inFile(path)
    }
  }

  private static func container(at path: String) throws(KistError) -> KistFile? {
    if let files = try SetFiles.inFolder(path) { return files[0] }
    // A folder is no container; that it can't be mapped is no error here.
    guard let file = try? MappedFile(path: path), case .kist = FileKind(of: file) else { return nil }
    return try SetFiles.around(try KistFile(file))[0]
  }

  private static func record(of container: KistFile) throws(KistError) -> RecordStorage? {
    guard let entry = container.find(RecordName.tokenizer, .record) else { return nil }
    if let (file, range) = container.mappedRange(of: entry) { return RecordStorage(file, range: range) }
    return RecordStorage(try container.bytes(of: entry))
  }

  /// Whether a container's compiled tokenizer is of a layout that this version reads; the files are compiled again where it is not.
  static func knowsRecord(of container: KistFile) throws(KistError) -> Bool {
    try record(of: container).map(RecordReader.knows) ?? true
  }

  private static func open(_ container: KistFile) throws(KistError) -> Tokenizer {
    if let record = try record(of: container), RecordReader.knows(record) { return try Tokenizer(record: record) }
    switch CompiledTokenizer.compile(try Checkpoint.open(path: container.path).tokenizerFiles) {
    case .compiled(let record): return try Tokenizer(record: RecordStorage(record))
    case .failed(let error): throw error
    case .none:
      throw KistError(
        .missing, file: container.path, "has no tokenizer", advice: "`kist inspect` lists the files that it has")
    }
  }
}
