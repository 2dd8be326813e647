import KistCheckpoints
import KistCore
import KistFormat
import KistTokenizers

/// A change of a container in the terms of a checkpoint: key-values, files, tensors. Nothing is written before
/// ``commit()``.
public final class ContainerEdit {
  private let editor: KistEditor
  private let checkpoint: Checkpoint
  private var metadata: Metadata
  private var metadataIsChanged = false
  /// Assets as they will be.
  private var assets: [CheckpointAsset]
  private var assetsAreChanged = false

  /// Locks and opens a container.
  ///
  /// - Throws: what ``KistEditor/init(path:options:)`` throws.
  public init(path: String, options: WriterOptions = WriterOptions()) throws(KistError) {
    editor = try KistEditor(path: path, options: options)
    try editor.requireWhole()
    // The lock is held: no other editor changes what is read here.
    checkpoint = try Checkpoint.open(path: path)
    metadata = checkpoint.metadata
    assets = checkpoint.assets
  }

  // MARK: - Key-values

  /// Gives a key a value.
  ///
  /// - Parameter assignment: `key=value`, or `key:type=value` with one of the types of spec/kist-format.md. Without a
  ///   type, an existing key keeps its own, and a new one is a string.
  /// - Throws: `invalid` when there is no `=`, or the text is not of the type.
  public func set(_ assignment: String) throws(KistError) {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw KistError(.invalid, field: "'\(assignment)'", "is not of the form key=value")
    }
    let text = String(assignment[assignment.index(after: equals)...])
    var key = String(assignment[..<equals])
    var type = metadata[key]?.type
    // A key may have colons of its own.
    if type == nil, let colon = key.lastIndex(of: ":"), colon != key.startIndex {
      let suffix = String(key[key.index(after: colon)...])
      if Metadata.Value.types.contains(suffix) {
        key = String(key[..<colon])
        type = suffix
      }
    }
    do throws(KistError) { metadata[key] = try Metadata.Value(text, type: type ?? "string") } catch {
      var error = error.inFile(checkpoint.path)
      error.field = "'\(key)'"
      throw error
    }
    metadataIsChanged = true
  }

  /// Takes a key out.
  ///
  /// - Throws: `missing` when there is none.
  public func unset(_ key: String) throws(KistError) {
    guard metadata[key] != nil else {
      throw KistError(
        .missing, file: checkpoint.path, "has no key '\(key)'", advice: "`kist inspect --metadata` lists what it has")
    }
    metadata[key] = nil
    metadataIsChanged = true
  }

  // MARK: - Files

  /// Puts a file in, in the place of the one of that name if there is one.
  ///
  /// - Throws: `invalid` when the name is not a relative path inside the model's folder, is a folder of another file,
  ///   or is that of a weight file.
  public func putAsset(_ name: String, _ source: any ByteSource) throws(KistError) {
    try requireNoWeightFile(name)
    let place = assets.firstIndex { $0.path.utf8.elementsEqual(name.utf8) }
    let names = assets.map(\.path) + checkpoint.weightFiles.map(\.path) + (place == nil ? [name] : [])
    do throws(KistError) { try AssetPath.check(all: names) } catch {
      throw KistError(
        .invalid, file: checkpoint.path, field: "'\(name)'", error.problem, advice: "choose another name with --as")
    }
    let asset = CheckpointAsset(path: name, source: source, entry: nil)
    if let place { assets[place] = asset } else { assets.append(asset) }
    assetsAreChanged = true
    editor.put(.asset(name, source: source))
  }

  private func requireNoWeightFile(_ name: String) throws(KistError) {
    guard checkpoint.weightFiles.contains(where: { $0.path.utf8.elementsEqual(name.utf8) }) else { return }
    throw KistError(
      .invalid, file: checkpoint.path, field: "'\(name)'", "is a file of weights, which is made of the tensors",
      advice: "change the tensors, with put-tensor and rm")
  }

  // MARK: - Tensors

  /// Puts a tensor in, in the place of the one of that name if there is one.
  ///
  /// A tensor that is replaced keeps its dtype when every value of the array is one of it; else the array's own dtype
  /// is stored.
  ///
  /// - Returns: the dtype that is stored.
  public func putTensor(_ name: String, _ array: NpyFile) throws(KistError) -> DType {
    let old = checkpoint.tensors.first { $0.name.utf8.elementsEqual(name.utf8) }
    var (dtype, bytes) = (array.dtype, try array.bytes())
    if let kept = old?.dtype, let cast = ExactCast.bytes(of: array, as: kept) { (dtype, bytes) = (kept, cast) }
    editor.put(.tensor(name, dtype: dtype, shape: array.shape, source: MemorySource(bytes)))
    return dtype
  }

  /// The dtype of a tensor as it is now; nil when there is no such tensor.
  public func dtype(ofTensor name: String) -> DType? {
    checkpoint.tensors.first { $0.name.utf8.elementsEqual(name.utf8) }?.dtype
  }

  // MARK: - Both

  /// Takes a tensor or a file out.
  ///
  /// - Parameter kind: What it is; told by the name when nil.
  /// - Throws: `missing` when there is none; `invalid` when there are both and `kind` does not say which.
  public func remove(_ name: String, kind: EntryKind? = nil) throws(KistError) {
    let isTensor = checkpoint.tensors.contains { $0.name.utf8.elementsEqual(name.utf8) }
    let isAsset = checkpoint.assets.contains { $0.path.utf8.elementsEqual(name.utf8) }
    if kind == nil, isTensor, isAsset {
      throw KistError(
        .invalid, file: checkpoint.path, field: "'\(name)'", "is the name of a tensor and of a file",
        advice: "say which with --kind tensor or --kind asset")
    }
    if !isTensor, !isAsset { try requireNoWeightFile(name) }
    guard isTensor || isAsset else {
      throw KistError(
        .missing, file: checkpoint.path, "has no tensor and no file '\(name)'",
        advice: "`kist inspect` lists what it has")
    }
    let chosen = kind ?? (isTensor ? .tensor : .asset)
    try editor.remove(name, kind: chosen)
    guard chosen == .asset else { return }
    assets.removeAll { $0.path.utf8.elementsEqual(name.utf8) }
    assetsAreChanged = true
  }

  /// Writes what changed and puts it in force.
  public func commit() throws(KistError) -> KistEditor.Outcome {
    if metadataIsChanged { editor.put(metadata: metadata) }
    if assetsAreChanged { try recompileTokenizer() }
    return try editor.commit()
  }

  /// The compiled tokenizer follows the files that it is made of.
  private func recompileTokenizer() throws(KistError) {
    let old = checkpoint.container?.find(RecordName.tokenizer, .record)
    let headers = checkpoint.tokenizerFiles.dropFirst(checkpoint.assets.count)
    if case .compiled(let record) = CompiledTokenizer.compile(assets + headers) {
      guard old?.digest != Digest(ofContent: record) else { return }
      editor.put(.record(RecordName.tokenizer, record, staysRaw: true))
    } else if old != nil {
      try editor.remove(RecordName.tokenizer, kind: .record)
    }
  }
}
