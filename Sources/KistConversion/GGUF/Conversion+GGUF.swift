import Foundation
import KistCheckpoints
import KistCore
import KistFormat

extension Conversion {
  /// Throws when this version can't make a GGUF of the source.
  func checkGGUF() throws(KistError) {
    guard source.provenanceFormat == .gguf, !source.weightFiles.isEmpty else {
      throw KistError(
        .unsupported, file: target,
        "a GGUF needs llama.cpp's names of tensors and keys, and this version has them only for what came from a GGUF",
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
