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

  /// Writes a GGUF, or all its parts: the files that came in, byte for byte, as far as nothing was changed.
  func exportGGUF(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    if let ggufModel { return try export(ggufModel, progress) }
    let layouts = try ggufLayouts()
    var outcome = Outcome(byteCount: 0, notices: notice(of: layouts))
    if !source.assets.isEmpty {
      outcome.notices.append("a GGUF holds tensors and keys only: \(source.assets.count) other files stay behind")
    }
    // All are complete before the first gets its name.
    let files = try zip(ggufTargets, layouts).map { path, layout throws(KistError) in
      let file = try NewFile(target: path)
      try layout.write(to: file.output, options.parallelism, progress)
      outcome.byteCount += layout.byteCount
      return file
    }
    for file in files { try file.commit(replacing: options.replacesExisting) }
    return outcome
  }

  private func export(_ model: GGUFModel, _ progress: any ProgressObserver) throws(KistError) -> Outcome {
    let layout = WeightLayout(model, path: target)
    var outcome = Outcome(byteCount: layout.byteCount, notices: [])
    outcome.unfinished = try writeFile(layout, progress)
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
      guard ggufTargets.count == headers.count else { return [try rewriting.merged(path: target)] }
      let keepsHeaders = try metadataIsUnchanged()
      let groups = Dictionary(grouping: tensors) { $0.weightFile ?? 0 }
      var layouts: [WeightLayout] = []
      for (index, path) in ggufTargets.enumerated() {
        let group = groups[index] ?? []
        if keepsHeaders,
          let verbatim = try WeightLayout.verbatimGGUF(source.weightFiles[index], headers[index], group, path: path)
        {
          layouts.append(verbatim)
        } else {
          layouts.append(try rewriting.part(index, tensors: group, path: path))
        }
      }
      return layouts
    } catch { throw error.inFile(source.path) }
  }
}

extension WeightLayout {
  /// A GGUF that is made of a model.
  fileprivate init(_ model: GGUFModel, path: String) {
    let layout = model.layout
    let end = layout.ranges.last?.upperBound ?? layout.header.count
    self.init(
      path: path, header: layout.header,
      pieces: zip(model.tensors, layout.ranges).map { Piece(tensor: $0, offset: $1.lowerBound) },
      byteCount: layout.fileByteCount, isVerbatim: false)
    // Zeros up to the alignment.
    if layout.fileByteCount > end {
      fillings.append((end, [UInt8](repeating: 0, count: layout.fileByteCount - end)[...]))
    }
  }

  /// The file as it came in, when its header names exactly these tensors as they are; else nil.
  static func verbatimGGUF(
    _ file: WeightFile, _ gguf: GGUFFile, _ tensors: [CheckpointTensor], path: String
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
      path: path, header: [], pieces: pieces, byteCount: gguf.byteCount, isVerbatim: true)
    let bytes = try file.header()
    var start = 0
    for range in gguf.outsideRanges {
      layout.fillings.append((range.lowerBound, bytes[start..<start + range.count]))
      start += range.count
    }
    return layout
  }
}
