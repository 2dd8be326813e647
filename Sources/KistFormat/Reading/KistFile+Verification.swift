import KistCore

/// How much of a container is checked.
public enum VerificationLevel: String, Sendable, CaseIterable {
  /// The index and the XXH3 of everything stored: finds damage, at the speed of memory.
  case quick
  /// Also every SHA-256, of the content as it is after decoding: finds tampering.
  case full
}

/// Something that is wrong with a container.
public struct VerificationProblem: Sendable, Equatable {
  /// The entry that is damaged; nil when it is the file as a whole.
  public var entry: String?
  public var kind: EntryKind?
  public var problem: String

  init(_ problem: String, in found: Entry? = nil) {
    entry = found?.name
    kind = found?.kind
    self.problem = problem
  }
}

/// What a verification found.
public struct VerificationReport: Sendable {
  public var level: VerificationLevel
  public var problems: [VerificationProblem] = []
  /// Distinct chunks that were read.
  public var chunkCount = 0
  public var storedByteCount = 0
  public var rawByteCount = 0

  public var isSound: Bool { problems.isEmpty }
}

extension KistFile {
  /// Checks the file against itself. An opened file has a sound index already; this checks what the index points to.
  ///
  /// - Throws: only when checking was not possible; damage is reported, not thrown.
  public func verify(
    _ level: VerificationLevel, parallelism: Parallelism = Parallelism(), progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> VerificationReport {
    var report = VerificationReport(level: level)
    if let damagedSlot {
      report.problems.append(
        VerificationProblem(
          "\(damagedSlot) is damaged or its commit was interrupted; this is generation \(generation), and the next "
            + "`kist edit` or `kist compact` mends it"))
    }
    let entries = Array(self.entries)
    if level == .full { checkBlockDigests(&report) }
    var extents = root.blocks.filter { $0.byteCount > 0 }.map { Extent($0.range, .index, "the \($0.kind.name)") }
    extents.append(Extent(slot.rootOffset..<slot.rootOffset + slot.rootByteCount, .index, "the root"))

    var jobs: [ChunkJob] = []
    for entry in entries {
      do throws(KistError) {
        let chunks = try (0..<entry.layout.chunkCount).map { number throws(KistError) in try chunk(number, of: entry) }
        jobs += chunks.enumerated().map { ChunkJob(entry: entry, number: $0.offset, chunk: $0.element) }
        extents += Self.extents(of: entry, chunks)
        if Digest(ofLeaves: chunks.lazy.map(\.leaf)) != entry.digest {
          report.problems.append(VerificationProblem("the digest is not that of its chunks", in: entry))
        }
      } catch {
        report.problems.append(VerificationProblem(Self.words(error), in: entry))
      }
    }
    report.problems += Self.overlaps(extents)
    try checkChunks(Self.distinct(jobs), level, parallelism, progress, &report)
    checkDigests(entries.map(\.record), &report)
    checkSignatures(&report)
    checkPlace(&report)
    return report
  }

  /// Bytes that a verification reads, for telling how long it will take.
  public var verificationByteCount: (stored: Int, raw: Int) {
    (byteCount, entries.reduce(0) { $0 + $1.byteCount })
  }

  private var root: Root { index.root }

  private func checkBlockDigests(_ report: inout VerificationReport) {
    for block in root.blocks where unsafe Digest(hashing: mapped.pointer(block.range)) != block.digest {
      report.problems.append(VerificationProblem("the \(block.kind.name) does not match its SHA-256"))
    }
  }

  private func checkPlace(_ report: inout VerificationReport) {
    guard let place else { return }
    do throws(KistError) {
      let manifest = try recordBytes(RecordName.manifest)
      guard manifest.map(SetPlace.id(ofManifest:)) != place.id else { return }
      report.problems.append(
        VerificationProblem(
          manifest == nil ? "is part of a set and has no manifest" : "the set id is not that of the manifest"))
    } catch {
      report.problems.append(VerificationProblem(Self.words(error)))
    }
  }

  /// A signature of other content is damage, whoever made it; whether its key is to be trusted is for the caller to say.
  private func checkSignatures(_ report: inout VerificationReport) {
    do throws(KistError) {
      for signature in try signatures() where !signature.isValid {
        report.problems.append(
          VerificationProblem("the signature by key \(signature.key.fingerprint) is not of this file's package digest"))
      }
    } catch {
      report.problems.append(VerificationProblem(Self.words(error)))
    }
  }

  private func checkDigests(_ records: [EntryRecord], _ report: inout VerificationReport) {
    if Commit.digest(of: records.filter { $0.kind == .tensor }) != weightsDigest {
      report.problems.append(VerificationProblem("the weights digest is not that of the tensors"))
    }
    if Commit.digest(of: records.filter { !$0.isSignature }) != packageDigest {
      report.problems.append(VerificationProblem("the package digest is not that of the entries"))
    }
  }
}

// MARK: - Chunks

private struct ChunkJob: Sendable {
  var entry: Entry
  var number: Int
  var chunk: ChunkRecord
}

extension KistFile {
  /// One job for each different way of reading stored bytes: entries that share them share the check.
  private static func distinct(_ jobs: [ChunkJob]) -> [ChunkJob] {
    struct Key: Hashable {
      var offset, storedByteCount, rawByteCount, planeCount: Int
      var transform: Transform
      var leaf: Digest
    }
    var seen: Set<Key> = []
    return jobs.filter { job in
      seen.insert(
        Key(
          offset: job.chunk.offset, storedByteCount: job.chunk.storedByteCount, rawByteCount: job.chunk.rawByteCount,
          planeCount: job.entry.layout.planeCount, transform: job.entry.transform, leaf: job.chunk.leaf)
      ).inserted
    }
  }

  private func checkChunks(
    _ jobs: [ChunkJob], _ level: VerificationLevel, _ parallelism: Parallelism, _ progress: any ProgressObserver,
    _ report: inout VerificationReport
  ) throws(KistError) {
    report.chunkCount = jobs.count
    report.storedByteCount = jobs.reduce(0) { $0 + $1.chunk.storedByteCount }
    report.rawByteCount = jobs.reduce(0) { $0 + $1.chunk.rawByteCount }
    progress.begin("Verifying", total: report.rawByteCount)
    defer { progress.end() }
    var (next, told) = (0, 0)
    let readAhead = ReadAhead {
      guard told < jobs.count else { return nil }
      defer { told += 1 }
      self.mapped.prefetch(jobs[told].chunk.range)
      return jobs[told].chunk.storedByteCount
    }
    var problems: [VerificationProblem] = []
    try parallelism.inOrder(
      next: { () throws(KistError) -> ChunkJob? in
        guard next < jobs.count else { return nil }
        defer { next += 1 }
        readAhead.reads(jobs[next].chunk.storedByteCount)
        return jobs[next]
      },
      produce: { (job) throws(KistError) -> VerificationProblem? in
        defer { progress.advance(by: job.chunk.rawByteCount) }
        return self.check(job, level)
      },
      consume: { (job, problem) throws(KistError) in
        self.mapped.release(job.chunk.range)
        if let problem { problems.append(problem) }
      })
    report.problems += problems
  }

  private func check(_ job: ChunkJob, _ level: VerificationLevel) -> VerificationProblem? {
    do throws(KistError) {
      if level == .quick {
        try mapped.fetch(job.chunk.range)
        guard unsafe xxh3(mapped.pointer(job.chunk.range)) == job.chunk.hash else {
          return VerificationProblem("chunk \(job.number) does not match its XXH3", in: job.entry)
        }
        try mapped.checkIntact()
        return nil
      }
      let range = job.entry.layout.rawRange(ofChunk: job.number)
      var leaf: Digest?
      unsafe try EntrySource(self, job.entry).withBytes(range) { bytes throws(KistError) in
        unsafe leaf = Digest(hashing: bytes)
      }
      guard leaf == job.chunk.leaf else {
        return VerificationProblem("chunk \(job.number) does not match its leaf, a SHA-256", in: job.entry)
      }
      return nil
    } catch {
      return VerificationProblem(Self.words(error), in: job.entry)
    }
  }

  /// The error without the file, which the report is about anyway.
  private static func words(_ error: KistError) -> String {
    var error = error
    error.file = nil
    return error.description
  }
}

// MARK: - Overlap

/// Bytes of the file that something uses. Only equal extents of the same use may coincide.
private struct Extent {
  enum Use: Equatable {
    case index
    case run
    case packed(rawByteCount: Int, transform: Transform, planeCount: Int)
  }

  var range: Range<Int>
  var use: Use
  var owner: String

  init(_ range: Range<Int>, _ use: Use, _ owner: String) {
    self.range = range
    self.use = use
    self.owner = owner
  }
}

extension KistFile {
  private static func extents(of entry: Entry, _ chunks: [ChunkRecord]) -> [Extent] {
    let owner = "'\(entry.name)'"
    guard entry.byteCount > 0 else { return [] }
    guard entry.codec == .zstd else {
      let start = entry.layout.runOffset
      return [Extent(start..<start + entry.byteCount, .run, owner)]
    }
    return chunks.map { chunk in
      Extent(
        chunk.range,
        .packed(
          rawByteCount: chunk.rawByteCount, transform: entry.transform, planeCount: entry.layout.planeCount), owner)
    }
  }

  private static func overlaps(_ extents: [Extent]) -> [VerificationProblem] {
    let sorted = extents.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var problems: [VerificationProblem] = []
    guard var reached = sorted.first else { return [] }
    for extent in sorted.dropFirst() {
      let isShared = extent.range == reached.range && extent.use == reached.use && extent.use != .index
      if extent.range.lowerBound < reached.range.upperBound && !isShared {
        problems.append(
          VerificationProblem("\(extent.owner) and \(reached.owner) overlap at byte \(extent.range.lowerBound)"))
      }
      if extent.range.upperBound > reached.range.upperBound { reached = extent }
    }
    return problems
  }
}
