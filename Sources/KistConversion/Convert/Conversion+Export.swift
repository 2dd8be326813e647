import Foundation
import KistCore
import KistFormat

extension Conversion {
  static let singleName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"

  /// Writes one safetensors file.
  func exportFile(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    let layout: WeightLayout
    if let file = source.weightFiles.first, source.weightFiles.count == 1, try metadataIsUnchanged(),
      let verbatim = try WeightLayout.verbatim(file, tensors: tensors)
    {
      layout = verbatim
    } else {
      layout = try .fresh(path: target, tensors: tensors, metadata: source.metadata, source: source.path)
    }
    let unfinished = try write(
      [WrittenFile(path: target, finalPath: finalTarget ?? target, layout: layout)], progress)
    var notices = notice(of: [layout])
    let lists = source.metadata.items.filter(\.value.isPartial).map(\.key)
    if !lists.isEmpty {
      notices.append(
        "metadata of safetensors is short texts: these lists stay behind: \(lists.joined(separator: ", "))")
    }
    if !source.assets.isEmpty {
      notices.append("a safetensors file holds tensors only: \(source.assets.count) other files stay behind")
    }
    var outcome = Outcome(byteCount: layout.byteCount, notices: notices)
    outcome.unfinished = unfinished
    return outcome
  }

  /// A file of weights, its path now and when all is done.
  struct WrittenFile {
    var path: String
    var finalPath: String
    var layout: WeightLayout
  }

  /// Writes files of weights. All are complete before the first gets its name.
  func write(_ files: [WrittenFile], _ progress: any ProgressObserver) throws(KistError) -> [UnfinishedTarget] {
    let isLarge = isWorthResuming(files.reduce(0) { $0 + $1.layout.byteCount })
    let unfinished = try files.map { file throws(KistError) in
      isLarge ? try unfinishedTarget([file.layout], file.finalPath) : nil
    }
    try keeping(unfinished) { () throws(KistError) in
      var complete: [NewFile] = []
      for (file, unfinished) in zip(files, unfinished) {
        let new =
          if let unfinished { try NewFile(target: file.path, unfinished: unfinished.path) } else {
            try NewFile(target: file.path)
          }
        let journal = unfinished.map {
          JournaledFile(pieces: JournaledPieces($0.journal), number: 0, file: new.output)
        }
        try file.layout.write(to: new.output, options.parallelism, progress, journal: journal)
        complete.append(new)
      }
      for file in complete { try file.commit(replacing: options.replacesExisting) }
    }
    return unfinished.compactMap { $0 }
  }

  /// Writes a folder as on the Hugging Face hub: the files that came in, byte for byte, as far as nothing was changed.
  func exportFolder(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    let layouts =
      if let limit = options.shardByteCount { try shardLayouts(limit) } else { try folderLayouts() }
    var assets = try writtenAssets()
    if options.shardByteCount != nil {
      try replaceIndex(&assets, layouts)
    } else if !layouts.allSatisfy(\.isVerbatim) {
      try updateIndex(&assets, layouts)
    }
    try AssetPath.check(all: layouts.map(\.path) + assets.map(\.path))

    let isLarge = isWorthResuming(layouts.reduce(0) { $0 + $1.byteCount })
    let unfinished = isLarge ? try unfinishedTarget(layouts, Conversion.trimmed(finalTarget ?? target)) : nil
    let byteCount = try keeping([unfinished]) { () throws(KistError) in
      try writeFolder(layouts, assets, unfinished, progress)
    }
    var outcome = Outcome(byteCount: byteCount, notices: notice(of: layouts))
    outcome.unfinished = [unfinished].compactMap { $0 }
    return outcome
  }

  private func writeFolder(
    _ layouts: [WeightLayout], _ assets: [CheckpointAsset], _ unfinished: UnfinishedTarget?,
    _ progress: any ProgressObserver
  ) throws(KistError) -> Int {
    let folder =
      if let unfinished { try NewFolder(target: target, unfinished: unfinished.path) } else {
        try NewFolder(target: target)
      }
    let pieces = unfinished.map { JournaledPieces($0.journal) }
    var byteCount = 0
    for (number, layout) in layouts.enumerated() {
      let output = try create(layout.path, in: folder)
      let journal = pieces.map { JournaledFile(pieces: $0, number: number, file: output.descriptor) }
      try layout.write(to: output, options.parallelism, progress, journal: journal)
      try output.sync()
      byteCount += layout.byteCount
    }
    for asset in assets {
      let output = try create(asset.path, in: folder)
      try write(asset, to: output)
      try output.sync()
      byteCount += asset.byteCount
    }
    for directory in source.emptyDirectories {
      try AssetPath.check(directory)
      try makeDirectory(folder.path + "/" + directory)
    }
    try folder.commit(replacing: options.replacesExisting)
    return byteCount
  }

  /// The files beside the weights, which say what the weights are now.
  func writtenAssets() throws(KistError) -> [CheckpointAsset] {
    if let hubContent { return hubContent.assets }
    guard case .float(let dtype) = options.type else { return source.assets }
    return try CheckpointAsset.naming(dtype, in: source.assets, file: source.path)
  }

  /// The key-values that go into weight files; those of a GGUF are said in files of their own.
  var writtenMetadata: Metadata { hubContent == nil ? source.metadata : Metadata([("format", .string("pt"))]) }

  /// Whether the key-values are those of the weight files' own headers.
  func metadataIsUnchanged() throws(KistError) -> Bool {
    try source.metadata == Checkpoint.metadata(of: source.weightFiles)
  }

  func notice(of layouts: [WeightLayout]) -> [String] {
    let fresh = layouts.filter { !$0.isVerbatim }
    // From GGUF to another format there is no header to keep.
    guard !fresh.isEmpty, !isRetyped, options.shardByteCount == nil, !source.weightFiles.isEmpty,
      source.provenanceFormat != .gguf || targetFormat == .gguf
    else { return [] }
    return [
      "wrote new headers, because tensors or metadata are not those that came in: \(fresh.map(\.path).joined(separator: ", "))"
    ]
  }

  private func folderLayouts() throws(KistError) -> [WeightLayout] {
    let files = source.weightFiles
    guard !files.isEmpty, hubContent == nil else {
      return [try .fresh(path: Self.singleName, tensors: tensors, metadata: writtenMetadata, source: source.path)]
    }
    // A tensor that no weight file knows goes with the first.
    let groups = Dictionary(grouping: tensors) { $0.weightFile ?? 0 }
    let keepsHeaders = try metadataIsUnchanged()
    var layouts: [WeightLayout] = []
    for (index, file) in files.enumerated() {
      let group = groups[index] ?? []
      if keepsHeaders, let verbatim = try WeightLayout.verbatim(file, tensors: group) {
        layouts.append(verbatim)
      } else {
        layouts.append(try .fresh(path: file.path, tensors: group, metadata: source.metadata, source: source.path))
      }
    }
    return layouts
  }

  /// Says in the index of a sharded checkpoint where each tensor is now.
  private func updateIndex(_ assets: inout [CheckpointAsset], _ layouts: [WeightLayout]) throws(KistError) {
    let position = assets.firstIndex { compareBytes($0.path, Self.indexName) == 0 }
    // A single file needs no index.
    guard layouts.count > 1 else {
      if let position { assets.remove(at: position) }
      return
    }
    let located = layouts.flatMap { layout in layout.pieces.map { (key: $0.tensor.name, file: layout.path) } }
    var text = JSONText()
    text.object([
      ("metadata", { $0.object([("total_size", { $0.literal(String(tensors.reduce(0) { $0 + $1.byteCount })) })]) }),
      (
        "weight_map",
        { text in
          text.object(
            located.sorted { compareBytes($0.key, $1.key) < 0 }.map { place in (place.key, { $0.string(place.file) }) })
        }
      ),
    ])
    let index = CheckpointAsset(path: Self.indexName, source: MemorySource(text.bytes), entry: nil)
    if let position { assets[position] = index } else { assets.append(index) }
  }

  private func write(_ asset: CheckpointAsset, to output: ExportedFile) throws(KistError) {
    for start in stride(from: 0, to: asset.byteCount, by: Layout.maximumChunkByteCount) {
      try options.parallelism.cancellation.check()
      let range = start..<min(start + Layout.maximumChunkByteCount, asset.byteCount)
      unsafe try asset.source.withBytes(range) { bytes throws(KistError) in unsafe try output.write(bytes, at: start) }
    }
  }

  private func create(_ path: String, in folder: NewFolder) throws(KistError) -> ExportedFile {
    let full = folder.path + "/" + path
    try makeDirectory(parentFolder(of: full))
    return try ExportedFile(path: full)
  }

  private func makeDirectory(_ path: String) throws(KistError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw KistError(.system, file: target, "a folder in it can't be made: \(error.localizedDescription)")
    }
  }
}

/// A file inside a folder that is being written; the folder gets its name when all files are whole.
private final class ExportedFile: FileOutput {
  let descriptor: DescriptorOutput

  init(path: String) throws(KistError) {
    // In a folder of an interrupted conversion it may be there.
    let number = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
    guard number >= 0 else { throw .fromErrno(file: path) }
    descriptor = DescriptorOutput(descriptor: number, path: path)
  }

  deinit { close(descriptor.descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(KistError) {
    unsafe try descriptor.write(bytes, at: offset)
  }

  func cut(at offset: Int) throws(KistError) { try descriptor.cut(at: offset) }

  func sync() throws(KistError) { try descriptor.sync() }
}
