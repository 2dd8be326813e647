import Foundation
import KistCheckpoints
import KistCore

extension Conversion {
  /// Whether source and result are to be compared: where values, or their places, may have changed.
  var isJudged: Bool {
    // Files of a set are known by their names, which they have too late; a part is no whole model.
    let isSet = GGUFSplitName(target) != nil || (targetFormat == .kist && options.shardByteCount != nil)
    return options.verifies && isRetyped && takesAll && !isSet && options.part == nil
  }

  /// Writes the target under a provisional name, and gives it its own only when it computes what the source computes.
  func runJudged(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    let provisional = Conversion.provisionalPath(for: target)
    // Only a process that was killed leaves one.
    try? FileManager.default.removeItem(atPath: provisional)
    defer { try? FileManager.default.removeItem(atPath: provisional) }
    var conversion = self
    conversion.target = provisional
    conversion.finalTarget = target
    var unfinished: UnfinishedTarget?
    do throws(KistError) {
      var outcome = try conversion.write(progress)
      unfinished = outcome.unfinished
      outcome.verdict = try judge(provisional, &outcome.notices)
      guard outcome.verdict?.matches == false else {
        try move(provisional, to: target, replacing: options.replacesExisting)
        return outcome
      }
      let rejected = Conversion.trimmed(target) + ".rejected"
      try? FileManager.default.removeItem(atPath: rejected)
      try move(provisional, to: rejected, replacing: true)
      outcome.rejectedPath = rejected
      return outcome
    } catch {
      var error = error
      if error.file == provisional { error.file = target }
      guard let unfinished, UnfinishedTarget.isWorthKeeping(after: error) else { throw error }
      // All is written; what is left is the verdict.
      unsafe rename(provisional, unfinished.path)
      throw unfinished.kept(after: error)
    }
  }

  /// A source that can't be computed is no obstacle: a line says why there is no verdict.
  private func judge(_ result: String, _ notices: inout [String]) throws(KistError) -> Verdict? {
    let reference: LoadedModel
    do throws(KistError) {
      reference = try LoadedModel(source)
      try reference.weights.requireFinite(options.parallelism)
    } catch {
      notices.append("no verdict: \(error)")
      return nil
    }
    return try Conversion.verdict(of: result, against: reference, parallelism: options.parallelism)
  }

  /// Compares what a result and its source compute on the usual texts.
  ///
  /// - Parameter result: A path. Where only tensors are there, the reference's configuration says what to compute.
  /// - Throws: `damaged` or `unsupported` when the result can't be computed, where the source can.
  static func verdict(
    of result: String, against reference: LoadedModel, parallelism: Parallelism
  ) throws(KistError) -> Verdict {
    var checkpoint = try Checkpoint.open(path: result)
    if checkpoint.format == .safetensors { checkpoint = checkpoint.with(assets: reference.checkpoint.assets) }
    // An infinity where the source has none is for the verdict to say.
    let model = try LoadedModel(checkpoint, nonfinite: .computed)
    // A format that can't say a scaling reaches fewer tokens.
    let most = model.model.mostTokens ?? .max
    let texts = VerificationTexts.tokens(for: reference).map { Array($0.tokens.prefix(most)) }
    return try ModelComparison(parallelism: parallelism, tokenizers: .texts).compare(
      model, with: reference, texts: texts)
  }

  private func move(_ source: String, to path: String, replacing: Bool) throws(KistError) {
    if targetFormat == .huggingFace {
      try NewFolder(taking: source, target: path).commit(replacing: replacing)
    } else {
      try moveFile(source, to: path, replacing: replacing)
    }
  }

  /// Beside the target, so that it can be moved there.
  static func provisionalPath(for target: String) -> String {
    let path = trimmed(target)
    let name = URL(fileURLWithPath: path).lastPathComponent
    return "\(parentFolder(of: path))/.\(name).unverified"
  }

  /// Without a slash at the end.
  static func trimmed(_ path: String) -> String {
    path.hasSuffix("/") && path.utf8.count > 1 ? String(path.dropLast()) : path
  }
}

extension Checkpoint {
  /// The same tensors beside other files.
  func with(assets: [CheckpointAsset]) -> Checkpoint {
    Checkpoint(
      path: path, format: format, tensors: tensors, assets: assets, weightFiles: weightFiles, metadata: metadata,
      emptyDirectories: emptyDirectories, leftOut: leftOut, container: container, byteCount: byteCount,
      archives: archives)
  }
}
