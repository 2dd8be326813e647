import Foundation
import KistCheckpoints
import KistCore
import KistFormat

extension Conversion {
  /// Settles how a model of another format becomes a GGUF.
  static func planGGUF(
    _ source: Checkpoint, target: String, options: ConversionOptions
  ) throws(KistError) -> Conversion {
    guard options.tensors.isEmpty else {
      throw KistError(
        .unsupported, file: target, "a GGUF is made of a whole model", advice: "leave --tensors out")
    }
    guard GGUFSplitName(target)?.count ?? 1 == 1 else {
      throw KistError(
        .unsupported, file: target, "names one of several parts, and a model becomes a single GGUF",
        advice: "write name.gguf")
    }
    let model = try GGUFModel(source, as: options.type, target: target)
    var conversion = Conversion(
      source: source, target: target, targetFormat: .gguf, options: options, tensors: model.tensors,
      range: model.tensors.indices, notices: model.notices)
    conversion.ggufModel = model
    try conversion.checkTarget()
    try conversion.checkShards()
    return conversion
  }

  /// Throws when this version can't make a GGUF of what came from one.
  func checkGGUF() throws(KistError) {
    guard !source.weightFiles.isEmpty else {
      throw KistError(
        .unsupported, file: target, "the header that llama.cpp needs did not come with the tensors",
        advice: "write .kist or .safetensors")
    }
    let count = GGUFSplitName(target)?.count ?? 1
    guard count == 1 || count == source.weightFiles.count else {
      throw KistError(
        .unsupported, file: target, "names one of \(count) parts, and the source has \(source.weightFiles.count)",
        advice: "write name.gguf for a single file")
    }
    if !options.replacesExisting { for path in ggufTargets { try requireAbsent(path) } }
  }

  /// Paths of the files that are written: all parts when the target is named as one of several.
  private var ggufTargets: [String] {
    guard let name = GGUFSplitName(target) else { return [target] }
    return (0..<name.count).map { GGUFSplitName.path(name.prefix, $0, of: name.count) }
  }

  /// The same of a target that is divided into so many files, as llama.cpp names them.
  func ggufTargets(of target: String, count: Int) -> [String] {
    guard options.shardByteCount != nil else { return target == self.target ? ggufTargets : [target] }
    guard count > 1 else { return [target] }
    let prefix = target.hasSuffix(".gguf") ? String(target.dropLast(".gguf".count)) : target
    return (0..<count).map { GGUFSplitName.path(prefix, $0, of: count) }
  }

  /// Writes a GGUF, or all its parts: the files that came in, byte for byte, as far as nothing was changed.
  func exportGGUF(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    var layouts =
      if let ggufModel {
        try WeightLayout.gguf(ggufModel.writer, ggufModel.tensors, shardByteCount: options.shardByteCount)
      } else { try ggufLayouts() }
    let paths = ggufTargets(of: target, count: layouts.count)
    let finalPaths = ggufTargets(of: finalTarget ?? target, count: layouts.count)
    if options.shardByteCount != nil, !options.replacesExisting { for path in finalPaths { try requireAbsent(path) } }
    for index in layouts.indices { layouts[index].path = finalPaths[index] }
    var outcome = Outcome(byteCount: 0, notices: ggufModel == nil ? notice(of: layouts) : [])
    if ggufModel == nil, !source.assets.isEmpty {
      outcome.notices.append("a GGUF holds tensors and keys only: \(source.assets.count) other files stay behind")
    }
    let files = layouts.enumerated().map { index, layout in
      WrittenFile(path: paths[index], finalPath: finalPaths[index], layout: layout)
    }
    outcome.byteCount = layouts.reduce(0) { $0 + $1.byteCount }
    outcome.unfinished = try write(files, progress)
    if paths.count > 1 { outcome.files = paths }
    return outcome
  }

  private func ggufLayouts() throws(KistError) -> [WeightLayout] {
    let headers = try source.weightFiles.map { file throws(KistError) in
      do throws(KistError) { return try GGUFFile(detached: try file.header()) } catch {
        throw KistError(.damaged, file: source.path, field: "asset '\(file.path)'", "\(error)")
      }
    }
    let rewriting = GGUFRewriting(
      headers: headers, metadata: source.metadata, original: try Checkpoint.metadata(of: source.weightFiles),
      tensors: tensors)
    do throws(KistError) {
      guard options.shardByteCount == nil, ggufTargets.count == headers.count else {
        return try rewriting.merged(shardByteCount: options.shardByteCount)
      }
      let keepsHeaders = try metadataIsUnchanged()
      let groups = Dictionary(grouping: tensors) { $0.weightFile ?? 0 }
      var layouts: [WeightLayout] = []
      for index in headers.indices {
        let group = groups[index] ?? []
        if keepsHeaders, let verbatim = try WeightLayout.verbatimGGUF(source.weightFiles[index], headers[index], group)
        {
          layouts.append(verbatim)
        } else {
          layouts.append(try rewriting.part(index, tensors: group))
        }
      }
      return layouts
    } catch { throw error.inFile(source.path) }
  }
}

extension WeightLayout {
  /// The file as it came in, when its header names exactly these tensors as they are; else nil.
  static func verbatimGGUF(
    _ file: WeightFile, _ gguf: GGUFFile, _ tensors: [CheckpointTensor]
  ) throws(KistError) -> WeightLayout? {
    guard gguf.header.tensors.count == tensors.count else { return nil }
    let byName = NamedTensors(tensors)
    var pieces: [Piece] = []
    for expected in gguf.header.tensors {
      guard let tensor = byName[expected.name], tensor.dtype == expected.dtype, tensor.shape == expected.shape else {
        return nil
      }
      pieces.append(Piece(tensor: tensor, offset: expected.range.lowerBound))
    }
    var layout = WeightLayout(
      path: "", header: [], pieces: pieces, byteCount: gguf.byteCount, isVerbatim: true)
    let bytes = try file.header()
    var start = 0
    for range in gguf.outsideRanges {
      layout.fillings.append((range.lowerBound, bytes[start..<start + range.count]))
      start += range.count
    }
    return layout
  }
}
