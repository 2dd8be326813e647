import KistCheckpoints
import KistCore
import KistFormat

extension Checkpoint {
  /// A model in a container, or in the shards of a set.
  ///
  /// - Parameter files: In the order of their numbers; the first has what belongs to the whole.
  static func openContainers(_ files: [KistFile], path: String) throws(KistError) -> Checkpoint {
    let file = files[0]
    let provenance = try file.recordBytes(RecordName.provenance).map { bytes throws(KistError) in
      do throws(KistError) { return try Provenance(decoding: bytes) } catch { throw error.inFile(file.path) }
    }
    let weightFiles = try (provenance?.weights ?? []).map { name throws(KistError) in
      WeightFile(path: name, source: try header(of: name, in: file))
    }
    // Where there is one file, there is no need to read it.
    let owners = try weightFiles.count > 1 ? ownersOfTensors(weightFiles) : [:]
    let isTraining = file.find(RecordName.training, .record) != nil
    let tensors = files.flatMap { file in
      file.tensors.map { entry in
        CheckpointTensor(
          name: entry.name, dtype: entry.dtype, shape: entry.shape, source: EntrySource(file, entry), entry: entry,
          weightFile: weightFiles.count == 1 ? 0 : owners[Array(entry.name.utf8)],
          isTrainingState: isTraining && entry.name.utf8.starts(with: TrainingContainer.prefix.utf8))
      }
    }
    if files.count > 1 { try requireDifferentNames(tensors, path: path) }
    let headers = Set(weightFiles.map { Array($0.path.utf8) })
    let assets = file.assets.filter { !headers.contains(Array($0.name.utf8)) }.map { entry in
      CheckpointAsset(path: entry.name, source: EntrySource(file, entry), entry: entry)
    }
    return Checkpoint(
      path: path, format: .kist, tensors: tensors, assets: assets, weightFiles: weightFiles,
      metadata: try file.metadata(), emptyDirectories: provenance?.emptyDirectories ?? [], leftOut: [], container: file,
      byteCount: files.reduce(0) { $0 + $1.byteCount }, otherContainers: Array(files.dropFirst()))
  }

  private static func header(of name: String, in file: KistFile) throws(KistError) -> any ByteSource {
    guard let entry = file.find(name, .asset), entry.byteCount <= WeightHeader.maximumByteCount else {
      throw KistError(
        .damaged, file: file.path, field: RecordName.provenance,
        "names the weight file '\(name)', whose header is not there")
    }
    return EntrySource(file, entry)
  }

  /// For each tensor name, which weight file names it.
  private static func ownersOfTensors(_ files: [WeightFile]) throws(KistError) -> [[UInt8]: Int] {
    var owners: [[UInt8]: Int] = [:]
    for (index, file) in files.enumerated() {
      guard let header = WeightHeader(try file.header()) else { continue }
      for name in header.tensorNames { owners[Array(name.utf8)] = index }
    }
    return owners
  }

  private static func requireDifferentNames(_ tensors: [CheckpointTensor], path: String) throws(KistError) {
    var seen: Set<[UInt8]> = []
    for tensor in tensors where !seen.insert(Array(tensor.name.utf8)).inserted {
      throw KistError(.damaged, file: path, field: "tensor '\(tensor.name)'", "is in more than one file of the set")
    }
  }
}

extension Checkpoint {
  /// What a container of this checkpoint says that it came from.
  package var provenanceFormat: Format {
    guard let container, let bytes = try? container.recordBytes(RecordName.provenance) else { return format }
    return (try? Provenance(decoding: bytes))?.source ?? .huggingFace
  }

  /// The digests of a container; of a set those of the file that its shards make when they are joined.
  package var digests: (weights: Digest, package: Digest)? {
    guard let container else { return nil }
    guard !otherContainers.isEmpty else { return (container.weightsDigest, container.packageDigest) }
    let records = containers.flatMap { file in
      file.entries.map(\.record).filter { $0.kind != .record || compareBytes($0.name, RecordName.manifest) != 0 }
    }.map { record in
      var record = record
      if record.kind == .record { record.name = RecordName.released(record.name) }
      return record
    }.sorted(by: EntryRecord.precedes)
    return (
      Commit.digest(of: records.filter { $0.kind == .tensor }), Commit.digest(of: records.filter { !$0.isSignature })
    )
  }

  /// The signatures of a container, or of a set as a whole.
  package func signatures() throws(KistError) -> [Signature] {
    guard let container, let digests else { return [] }
    guard !otherContainers.isEmpty else { return try container.signatures() }
    return try container.signatures(under: RecordName.held(RecordName.signaturePrefix), of: digests.package)
  }
}
