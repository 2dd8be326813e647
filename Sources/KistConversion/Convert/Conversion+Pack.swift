import KistCore
import KistFormat

extension Conversion {
  /// Writes a container, or a part of one.
  func pack(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    var outcome = Outcome(byteCount: 0, notices: [])
    let entries = try packedTensors(range)
    let others = options.part?.number ?? 1 == 1 ? try otherEntries(&outcome) : []
    let unfinished = try unfinishedContainer(finalTarget ?? target, entries + others)
    outcome.byteCount = try keeping([unfinished]) { () throws(KistError) in
      let writer = try makeWriter(target, unfinished, progress)
      try writer.add(entries, firstOrdinal: range.lowerBound)
      if let part = options.part {
        try writer.add(others.map(\.held), firstOrdinal: tensors.count)
        let manifest = try SetManifest(
          .parts, count: part.count, source: origin?.source ?? source,
          options: options.inManifest + (origin?.options ?? []))
        try writer.add(manifest, number: part.number)
      } else {
        try writer.add(others)
      }
      return try writer.finish()
    }
    outcome.unfinished = [unfinished].compactMap { $0 }
    return outcome
  }

  func makeWriter(
    _ path: String, _ unfinished: UnfinishedTarget?, _ progress: any ProgressObserver
  ) throws(KistError) -> KistWriter {
    try KistWriter(
      creating: path,
      options: WriterOptions(
        packing: options.packing, parallelism: options.parallelism, progress: progress,
        replacesExisting: options.replacesExisting),
      resuming: unfinished.map { Resumption(path: $0.path, log: JournaledChunks($0.journal)) })
  }

  func packedTensors(_ range: Range<Int>) throws(KistError) -> [NewEntry] {
    try tensors[range].map { tensor throws(KistError) in
      guard let dtype = tensor.dtype else {
        throw KistError(
          .unsupported, file: source.path, field: "tensor '\(tensor.name)'",
          "has a dtype that this Kist does not know",
          advice: "use a newer Kist")
      }
      return .tensor(tensor.name, dtype: dtype, shape: tensor.shape, source: tensor.source)
    }
  }

  /// What a container holds besides tensors, in order.
  func otherEntries(_ outcome: inout Outcome) throws(KistError) -> [NewEntry] {
    guard !source.containers.isEmpty, takesAll, !isRetyped else { return try fileEntries(&outcome) }
    // A container's other entries go over as they are, signatures too: they are of the content, which stays.
    let assets = source.containers.flatMap { $0.copies(of: .asset) }
    let records = source.containers.flatMap { $0.copies(of: .record) }.filter { !$0.isManifest }
    return assets + records.map(\.released)
  }

  private func fileEntries(_ outcome: inout Outcome) throws(KistError) -> [NewEntry] {
    var assets = try writtenAssets().map { NewEntry.asset($0.path, source: $0.source) }
    // A GGUF's header holds the vocabulary: it stays, whichever tensors are taken.
    let keepsHeaders = (takesAll && !isRetyped) || source.provenanceFormat == .gguf
    if keepsHeaders { assets += source.weightFiles.map { .asset($0.path, source: $0.source) } }
    if !takesAll {
      outcome.notices.append(
        "took \(tensors.count) of \(source.tensors.count) tensors: weight files will get new headers")
    }
    assets.sort { compareBytes($0.name, $1.name) < 0 }
    var entries = assets
    if !source.metadata.isEmpty { entries.append(.record(RecordName.metadata, source.metadata.encoded())) }
    let provenance = Provenance(
      source: source.provenanceFormat, weights: keepsHeaders ? source.weightFiles.map(\.path) : [],
      emptyDirectories: source.emptyDirectories)
    entries.append(.record(RecordName.provenance, provenance.encoded()))
    return entries + tokenizerEntry(&outcome)
  }

  /// A tokenizer that can't be compiled is no obstacle: its files are there all the same.
  private func tokenizerEntry(_ outcome: inout Outcome) -> [NewEntry] {
    switch CompiledTokenizer.compile(source.tokenizerFiles) {
    case .compiled(let record): return [.record(RecordName.tokenizer, record, staysRaw: true)]
    case .none: return []
    case .failed(let error):
      outcome.notices.append("no compiled tokenizer, though its files are there: \(error)")
      return []
    }
  }
}

extension ConversionOptions {
  /// What the bytes of a container depend on besides its source.
  var inManifest: [SetManifest.Option] {
    var options = [SetManifest.Option(name: "pack", value: packing.rawValue)]
    if !tensors.isEmpty { options.append(.init(name: "tensors", value: tensors.joined(separator: " "))) }
    if type != .keep { options.append(.init(name: "type", value: type.name)) }
    if let shardByteCount { options.append(.init(name: "shard-size", value: String(shardByteCount))) }
    if includesAllFiles { options.append(.init(name: SetManifest.allFilesOption, value: "yes")) }
    return options
  }
}
