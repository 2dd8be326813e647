import KistCheckpoints
import KistCore
import KistFormat

extension Conversion {
  func checkShards() throws(KistError) {
    guard options.shardByteCount != nil else { return }
    guard [.kist, .gguf, .huggingFace].contains(targetFormat) else {
      throw KistError(
        .unsupported, file: target, "is a single file, and shards are written of .kist and .gguf files and directories",
        advice: "name a .kist or .gguf file or a folder")
    }
    guard targetFormat != .gguf || GGUFSplitName(target) == nil else {
      throw KistError(
        .unsupported, file: target, "names one of several parts, and how many there are follows from their size",
        advice: "write name.gguf")
    }
  }

  /// Writes a set of containers, none longer than asked for, unless a single tensor is or what goes with the first.
  func packShards(_ progress: any ProgressObserver) throws(KistError) -> Outcome {
    var outcome = Outcome(byteCount: 0, notices: [])
    let others = try otherEntries(&outcome)
    // Computed first, so that the first shard leaves them room.
    let probes = try probes(&outcome)
    let entries = try packedTensors(range)
    let limit = options.shardByteCount ?? .max
    let ranges = ShardPlan.ranges(
      entries.map(ShardPlan.cost), before: others.reduce(0) { $0 + ShardPlan.cost(of: $1) } + (probes?.count ?? 0),
      limit: limit)
    let paths = shardPaths(ranges.count)
    if !options.replacesExisting { for path in paths { try requireAbsent(path) } }

    let manifest = try SetManifest(.shards, count: ranges.count, source: source, options: options.inManifest)
    let unfinished = try paths.map { path throws(KistError) in try unfinishedContainer(path, entries + others) }
    outcome.byteCount = try keeping(unfinished) { () throws(KistError) in
      var byteCount = 0
      var writers: [KistWriter] = []
      for (index, range) in ranges.enumerated() {
        let writer = try makeWriter(paths[index], unfinished[index], progress)
        try writer.add(Array(entries[range]), firstOrdinal: range.lowerBound)
        let own = ranges.count > 1 ? others.map(\.heldSignature) : others
        if index == 0 { try writer.add(own, firstOrdinal: entries.count) }
        if ranges.count > 1 { try writer.add(manifest, number: index + 1) }
        byteCount += try writer.seal()
        writers.append(writer)
      }
      // All are complete before the first gets its name.
      for writer in writers { try writer.publish() }
      return byteCount
    }
    outcome.unfinished = unfinished.compactMap { $0 }
    if let probes { outcome.byteCount += try ProbeSet.record(probes, into: paths[0], options.parallelism) }
    if paths.count > 1 { outcome.files = paths }
    return outcome
  }

  private func shardPaths(_ count: Int) -> [String] {
    guard count > 1 else { return [target] }
    let prefix = String(target.dropLast(".kist".count))
    return (1...count).map { SetFileName(prefix: prefix, number: $0, count: count, suffix: "kist").path }
  }
}

/// How tensors are divided among files of limited length.
package enum ShardPlan {
  /// The most bytes that an entry can take in a container: content, padding, and its records.
  static func cost(of entry: NewEntry) -> Int {
    let chunkCount = entry.source.byteCount / (Layout.maximumChunkByteCount / 2) + 1
    let padding = Layout.runAlignment(kind: entry.kind, byteCount: entry.source.byteCount)
    return entry.source.byteCount + padding + 2 * 64 * chunkCount + 2 * (96 + entry.name.utf8.count + 64 * 8)
  }

  /// Head, slots, root, padding of blocks, and the manifest.
  private static let fixedCost = 32 << 10

  /// Ranges of items side by side.
  ///
  /// - Parameter before: What the first file holds besides.
  static func ranges(_ costs: [Int], before: Int, limit: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    var size = fixedCost + before
    for (index, cost) in costs.enumerated() {
      // The first file may hold no tensor, where what goes with it fills it.
      if size + cost > limit, index > start || (index == 0 && before > 0) {
        ranges.append(start..<index)
        start = index
        size = fixedCost
      }
      size += cost
    }
    return ranges + [start..<costs.count]
  }

  /// Indexes of items as `huggingface_hub` divides a state dict: in order, but an item that is too large gets a file of its own, at once.
  ///
  /// - Source: `split_state_dict_into_shards_factory`, huggingface_hub 2.4.
  package static func huggingFace(_ byteCounts: [Int], limit: Int) -> [[Int]] {
    var shards: [[Int]] = []
    var current: [Int] = []
    var size = 0
    for (index, byteCount) in byteCounts.enumerated() {
      guard byteCount <= limit else {
        shards.append([index])
        continue
      }
      if size + byteCount > limit {
        shards.append(current)
        current = []
        size = 0
      }
      current.append(index)
      size += byteCount
    }
    return current.isEmpty ? shards : shards + [current]
  }
}

// MARK: - Hugging Face directories

extension Conversion {
  /// Weight files as transformers' `save_pretrained(max_shard_size=…)` divides and names them.
  func shardLayouts(_ limit: Int) throws(KistError) -> [WeightLayout] {
    var metadata = writtenMetadata
    // transformers refuses files that do not say it.
    if metadata["format"] == nil { metadata["format"] = .string("pt") }
    let shards = ShardPlan.huggingFace(tensors.map(\.byteCount), limit: limit)
    guard shards.count > 1 else {
      return [try .fresh(path: Self.singleName, tensors: tensors, metadata: metadata, source: source.path)]
    }
    return try shards.enumerated().map { index, shard throws(KistError) in
      let name = SetFileName(prefix: "model", number: index + 1, count: shards.count, suffix: "safetensors")
      return try .fresh(path: name.path, tensors: shard.map { tensors[$0] }, metadata: metadata, source: source.path)
    }
  }

  /// Gives the folder the index that transformers writes, in the place of any other.
  func replaceIndex(_ assets: inout [CheckpointAsset], _ layouts: [WeightLayout]) throws(KistError) {
    assets.removeAll { compareBytes($0.path, Self.indexName) == 0 }
    guard layouts.count > 1 else { return }
    let pieces = layouts.flatMap { layout in layout.pieces.map { (name: $0.tensor.name, file: layout.path) } }
    let lines = pieces.sorted { compareBytes($0.name, $1.name) < 0 }.map { piece in
      "    \(quoted(piece.name)): \(quoted(piece.file))"
    }
    let text = """
      {
        "metadata": {
          "total_parameters": \(tensors.reduce(0) { $0 + $1.elementCount }),
          "total_size": \(tensors.reduce(0) { $0 + $1.byteCount })
        },
        "weight_map": {
      \(lines.joined(separator: ",\n"))
        }
      }

      """
    assets.append(CheckpointAsset(path: Self.indexName, source: MemorySource(Array(text.utf8)), entry: nil))
  }

  private func quoted(_ text: String) -> String {
    var json = JSONText()
    json.string(text)
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
