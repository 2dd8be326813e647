import KistCore
import KistFormat

extension CheckpointSummary {
  /// Reads what there is to know without looking at values.
  ///
  /// - Parameter names: Globs of the tensors to list; all when empty. The rest of the summary is of the whole
  ///   checkpoint.
  /// - Throws: `missing` when a glob matches nothing; `damaged` when a container's records are wrong.
  /// - Complexity: O(*n* log *n*) in tensors and chunks.
  public init(_ checkpoint: Checkpoint, tensors names: [String] = []) throws(KistError) {
    let rows = try TensorRow.rows(of: checkpoint)
    path = checkpoint.path
    format = checkpoint.format.rawValue
    fileByteCount = checkpoint.byteCount
    tensorCount = rows.count
    parameterCount = rows.reduce(0) { $0 + $1.elementCount }
    rawByteCount = rows.reduce(0) { $0 + $1.rawByteCount }
    storedByteCount = rows.reduce(0) { $0 + $1.storedByteCount }
    ratio = rawByteCount > 0 ? Double(storedByteCount) / Double(rawByteCount) : nil
    dtypes = DTypeTotal.totals(of: rows)
    groups = TensorGroup.groups(of: rows)
    tensors = try Glob.filter(rows, names, name: \.name, file: checkpoint.path)
    assets = try AssetRow.rows(of: checkpoint)
    metadata = checkpoint.metadata.items.map { MetadataRow($0.key, $0.value) }
    leftOut = checkpoint.leftOut.map { LeftOutRow(path: $0.path, reason: $0.reason) }

    if let configuration = ModelConfiguration(of: checkpoint) {
      architecture = configuration.architecture
      modelType = configuration.modelType
    } else if case .string(let name) = checkpoint.metadata["general.architecture"] {
      modelType = name
    }
    if let container = checkpoint.container, let digests = checkpoint.digests {
      repeatedParameterCount = rows.reduce(0) { $0 + ($1.sameAs == nil ? 0 : $1.elementCount) }
      generation = container.generation
      weightsDigest = digests.weights.hexadecimal
      packageDigest = digests.package.hexadecimal
      signatures = try checkpoint.signatures().map(SignatureRow.init)
      set = try SetManifest(of: container).map { manifest in
        SetRow(
          kind: manifest.kind.rawValue, count: manifest.count,
          number: manifest.kind == .parts ? container.place?.number : nil)
      }
    }
  }

  /// Adds statistics to the listed tensors.
  public mutating func addStatistics(
    of checkpoint: Checkpoint, parallelism: Parallelism, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) {
    let listed = listedTensors(of: checkpoint)
    let statistics = try TensorStatistics.of(listed, parallelism: parallelism, progress: progress)
    for (index, statistics) in statistics.enumerated() { tensors[index].statistics = statistics }
  }

  /// Adds a comparison with a reference to the listed tensors. A GGUF and a model of another format are compared tensor by tensor of
  /// the first, with the reference's numbers in its names and order, where Kist knows the architecture.
  public mutating func compare(
    _ checkpoint: Checkpoint, with reference: Checkpoint, parallelism: Parallelism,
    progress: any ProgressObserver = NoProgress()
  ) throws(KistError) {
    let reference = try reference.rearranged(like: checkpoint) ?? reference
    let ours = NamedTensors(checkpoint.tensors)
    let theirs = NamedTensors(reference.tensors)
    var report = ReferenceReport(path: reference.path, missing: [], extra: [], mismatches: [])
    report.missing = reference.tensors.map(\.name).filter { ours[$0] == nil }

    var places: [Int] = []
    var pairs: [(tensor: CheckpointTensor, reference: CheckpointTensor)] = []
    for (index, tensor) in listedTensors(of: checkpoint).enumerated() {
      guard let other = theirs[tensor.name] else {
        report.extra.append(tensor.name)
        continue
      }
      places.append(index)
      pairs.append((tensor, other))
    }
    let comparisons = try TensorComparison.of(pairs, parallelism: parallelism, progress: progress)
    for ((place, pair), comparison) in zip(zip(places, pairs), comparisons) {
      tensors[place].comparison = comparison
      if comparison == nil { report.mismatches.append(ReferenceReport.Mismatch(pair.tensor, pair.reference)) }
    }
    against = report
  }

  private func listedTensors(of checkpoint: Checkpoint) -> [CheckpointTensor] {
    let all = NamedTensors(checkpoint.tensors)
    return tensors.compactMap { all[$0.name] }
  }
}

/// Tensors by the bytes of their names.
struct NamedTensors {
  private var byName: [[UInt8]: CheckpointTensor] = [:]

  init(_ tensors: [CheckpointTensor]) {
    for tensor in tensors { byName[Array(tensor.name.utf8)] = tensor }
  }

  subscript(name: String) -> CheckpointTensor? { byName[Array(name.utf8)] }
}

extension ReferenceReport.Mismatch {
  fileprivate init(_ tensor: CheckpointTensor, _ reference: CheckpointTensor) {
    name = tensor.name
    dtype = tensor.dtype?.name ?? "unknown"
    shape = tensor.shape.dimensions
    referenceDType = reference.dtype?.name ?? "unknown"
    referenceShape = reference.shape.dimensions
  }
}

extension DTypeTotal {
  /// What the tensors of a checkpoint take, by dtype, most first.
  ///
  /// - Throws: `damaged` when a chunk record of a container is wrong.
  public static func totals(of checkpoint: Checkpoint) throws(KistError) -> [DTypeTotal] {
    totals(of: try TensorRow.rows(of: checkpoint))
  }

  fileprivate static func totals(of rows: [TensorRow]) -> [DTypeTotal] {
    var totals: [String: DTypeTotal] = [:]
    for row in rows {
      var total =
        totals[row.dtype]
        ?? DTypeTotal(dtype: row.dtype, tensorCount: 0, elementCount: 0, rawByteCount: 0, storedByteCount: 0)
      total.tensorCount += 1
      total.elementCount += row.elementCount
      total.rawByteCount += row.rawByteCount
      total.storedByteCount += row.storedByteCount
      totals[row.dtype] = total
    }
    return totals.values.sorted { ($1.rawByteCount, $0.dtype) < ($0.rawByteCount, $1.dtype) }
  }
}

extension AssetRow {
  fileprivate static func rows(of checkpoint: Checkpoint) throws(KistError) -> [AssetRow] {
    var storage = StorageTally()
    return try checkpoint.assets.map { asset throws(KistError) in
      var row = AssetRow(path: asset.path, byteCount: asset.byteCount, storedByteCount: asset.byteCount)
      if let own = asset.source as? EntrySource {
        row.storedByteCount = try storage.add(own)
        row.digest = own.entry.digest.hexadecimal
      }
      return row
    }
  }
}

/// What the model's config.json says it is.
private struct ModelConfiguration {
  var architecture: String?
  var modelType: String?

  /// Nil when there is no such file, or it is no JSON object: that is for others to complain about.
  init?(of checkpoint: Checkpoint) {
    guard let asset = checkpoint.assets.first(where: { $0.path == "config.json" }), asset.byteCount <= 1 << 20 else {
      return nil
    }
    var text: [UInt8] = []
    try? unsafe asset.source.withBytes(0..<asset.byteCount) { bytes throws(KistError) in
      unsafe text.append(contentsOf: bytes)
    }
    guard let document = unsafe try? JSONDocument(text.span.bytes), document.root.members != nil else { return nil }
    architecture = document.root["architectures"]?.array?.first?.string
    modelType = document.root["model_type"]?.string
  }
}
