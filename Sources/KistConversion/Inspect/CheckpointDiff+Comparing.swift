import KistCore
import KistFormat

extension CheckpointDiff {
  /// Compares two checkpoints of any formats.
  ///
  /// Tensors and assets of containers are compared by their digests. Where only one is a container, the other's digest
  /// is computed; else bytes are compared. Values are read only of tensors that differ.
  ///
  /// - Throws: `damaged` when content that is read does not match its checksums; `interrupted`.
  public init(
    _ a: Checkpoint, _ b: Checkpoint, parallelism: Parallelism, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) {
    self.init(a: a.path, b: b.path, isSame: true)
    try compareTensors(a, b, parallelism, progress)
    try compareAssets(a, b)
    compareMetadata(a.metadata, b.metadata)
    isSame =
      tensorsOnlyInA.isEmpty && tensorsOnlyInB.isEmpty && tensors.isEmpty && assetsOnlyInA.isEmpty
      && assetsOnlyInB.isEmpty
      && assets.isEmpty && metadata.isEmpty
  }

  private init(a: String, b: String, isSame: Bool) {
    self.a = a
    self.b = b
    self.isSame = isSame
  }

  private mutating func compareTensors(
    _ a: Checkpoint, _ b: Checkpoint, _ parallelism: Parallelism, _ progress: any ProgressObserver
  ) throws(KistError) {
    let (inA, inB) = (NamedTensors(a.tensors), NamedTensors(b.tensors))
    tensorsOnlyInA = a.tensors.filter { inB[$0.name] == nil }.map(TensorSide.init)
    tensorsOnlyInB = b.tensors.filter { inA[$0.name] == nil }.map(TensorSide.init)

    let common = a.tensors.compactMap { tensor in inB[tensor.name].map { (tensor: tensor, reference: $0) } }
    let isAlike = common.map { $0.tensor.hasForm(of: $0.reference) }
    let candidates = common.indices.filter { isAlike[$0] }
    let isEqual = try ContentComparison.areEqual(
      candidates.map { (Content(common[$0].tensor), Content(common[$0].reference)) }, parallelism, progress)
    let equal = Set(zip(candidates, isEqual).filter(\.1).map(\.0))
    equalTensorCount = equal.count

    let differing = common.indices.filter { !equal.contains($0) }.map { common[$0] }
    let comparisons = try TensorComparison.of(differing, parallelism: parallelism, progress: progress)
    tensors = zip(differing, comparisons).map { pair, comparison in
      let (a, b) = (TensorSide(pair.tensor), TensorSide(pair.reference))
      return TensorDifference(
        name: a.name, dtypeA: a.dtype, dtypeB: b.dtype, shapeA: a.shape, shapeB: b.shape, comparison: comparison)
    }
  }

  private mutating func compareAssets(_ a: Checkpoint, _ b: Checkpoint) throws(KistError) {
    func byPath(_ checkpoint: Checkpoint) -> [[UInt8]: CheckpointAsset] {
      Dictionary(checkpoint.assets.map { (Array($0.path.utf8), $0) }, uniquingKeysWith: { first, _ in first })
    }
    let (inA, inB) = (byPath(a), byPath(b))
    func only(_ assets: [CheckpointAsset], notIn others: [[UInt8]: CheckpointAsset]) -> [AssetSide] {
      assets.filter { others[Array($0.path.utf8)] == nil }.map { AssetSide(path: $0.path, byteCount: $0.byteCount) }
    }
    assetsOnlyInA = only(a.assets, notIn: inB)
    assetsOnlyInB = only(b.assets, notIn: inA)
    for asset in a.assets {
      guard let other = inB[Array(asset.path.utf8)] else { continue }
      if let place = try ContentComparison.firstDifference(Content(asset), Content(other)) {
        assets.append(
          AssetDifference(
            path: asset.path, byteCountA: asset.byteCount, byteCountB: other.byteCount, firstDifference: place))
      } else {
        equalAssetCount += 1
      }
    }
  }

  private mutating func compareMetadata(_ a: Metadata, _ b: Metadata) {
    func row(_ key: String, in metadata: Metadata) -> MetadataRow? {
      metadata[key].map { MetadataRow(key, $0) }
    }
    let keys = a.items.map(\.key) + b.items.map(\.key).filter { a[$0] == nil }
    metadata = keys.filter { a[$0] != b[$0] }.map { MetadataDifference(key: $0, a: row($0, in: a), b: row($0, in: b)) }
  }
}

extension CheckpointTensor {
  /// Whether dtype and shape are the same, so that equal bytes are equal tensors.
  fileprivate func hasForm(of other: CheckpointTensor) -> Bool {
    let isSameType =
      dtype == other.dtype && entry?.dtypeCode ?? dtype?.code == other.entry?.dtypeCode ?? other.dtype?.code
    return isSameType && shape == other.shape && byteCount == other.byteCount
  }
}
