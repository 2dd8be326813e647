import KistCore
import KistFormat

extension Conversion {
  /// Writes a container.
  func pack(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    let writer = try KistWriter(
      creating: target,
      options: WriterOptions(
        packing: options.packing, parallelism: options.parallelism, progress: progress,
        replacesExisting: options.replacesExisting))
    try writer.add(
      tensors.map { tensor throws(KistError) in
        guard let dtype = tensor.dtype else {
          throw KistError(
            .unsupported, file: source.path, field: "tensor '\(tensor.name)'",
            "has a dtype that this Kist does not know",
            advice: "use a newer Kist")
        }
        return .tensor(tensor.name, dtype: dtype, shape: tensor.shape, source: tensor.source)
      })
    var outcome = Outcome(byteCount: 0, notices: [])
    if let container = source.container, takesAll, !isRetyped {
      try repack(container, into: writer)
    } else {
      try packFiles(into: writer, &outcome)
    }
    outcome.byteCount = try writer.finish()
    return outcome
  }

  /// A container's other entries go over as they are, signatures too: they are of the content, which stays.
  private func repack(_ container: KistFile, into writer: KistWriter) throws(KistError) {
    for kind in [EntryKind.asset, .record] {
      try writer.add(container.copies(of: kind))
    }
  }

  private func packFiles(into writer: KistWriter, _ outcome: inout Outcome) throws(KistError) {
    var assets = try writtenAssets().map { NewEntry.asset($0.path, source: $0.source) }
    // A GGUF's header holds the vocabulary: it stays, whichever tensors are taken.
    let keepsHeaders = (takesAll && !isRetyped) || source.provenanceFormat == .gguf
    if keepsHeaders { assets += source.weightFiles.map { .asset($0.path, source: $0.source) } }
    if !takesAll {
      outcome.notices.append(
        "took \(tensors.count) of \(source.tensors.count) tensors: weight files will get new headers")
    }
    assets.sort { compareBytes($0.name, $1.name) < 0 }
    try writer.add(assets)
    try writer.add(metadata: source.metadata)
    let provenance = Provenance(
      source: source.provenanceFormat, weights: keepsHeaders ? source.weightFiles.map(\.path) : [],
      emptyDirectories: source.emptyDirectories)
    try writer.add(record: RecordName.provenance, provenance.encoded())
    try packTokenizer(into: writer, &outcome)
  }

  /// A tokenizer that can't be compiled is no obstacle: its files are there all the same.
  private func packTokenizer(into writer: KistWriter, _ outcome: inout Outcome) throws(KistError) {
    switch CompiledTokenizer.compile(source.tokenizerFiles) {
    case .compiled(let record): try writer.add([.record(RecordName.tokenizer, record, staysRaw: true)])
    case .none: break
    case .failed(let error): outcome.notices.append("no compiled tokenizer, though its files are there: \(error)")
    }
  }
}
