import Foundation
import KistCore
import KistFormat
import TestSupport
import Testing

/// Notes what an edit writes, in order, instead of writing it.
final class RecordingOutput: FileOutput, @unchecked Sendable {
  enum Operation {
    case write(offset: Int, bytes: [UInt8])
    case cut(offset: Int)
    case sync
  }

  private(set) var operations: [Operation] = []

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    unsafe operations.append(.write(offset: offset, bytes: [UInt8](bytes)))
  }
  func cut(at offset: Int) { operations.append(.cut(offset: offset)) }
  func sync() { operations.append(.sync) }
}

/// What a disk holds after some writes reached it, whole or in part.
struct SimulatedDisk {
  var bytes: [UInt8]

  mutating func apply(_ data: ArraySlice<UInt8>, at offset: Int) {
    if bytes.count < offset + data.count { bytes += [UInt8](repeating: 0, count: offset + data.count - bytes.count) }
    bytes.replaceSubrange(offset..<offset + data.count, with: data)
  }

  /// Applies a random part of a write, in sectors of 512 bytes.
  mutating func applyTorn(_ data: [UInt8], at offset: Int, using random: inout SeededGenerator) {
    for start in stride(from: 0, to: data.count, by: 512) where Bool.random(using: &random) {
      apply(data[start..<min(start + 512, data.count)], at: offset + start)
    }
  }
}

@Suite struct CrashTests {
  /// A small file: its index, not its content, is what a crash can hurt.
  private static let entries: [NewEntry] = [
    .tensor("a", dtype: .f32, shape: [4], source: MemorySource([UInt8](repeating: 7, count: 16))),
    .tensor("b", dtype: .bf16, shape: [3000], source: MemorySource([UInt8](repeating: 5, count: 6000))),
    .asset("config.json", source: MemorySource(Array("{}".utf8))),
  ]

  private struct Scenario {
    var before: [UInt8]
    var operations: [RecordingOutput.Operation]
    var digests: (old: Digest, new: Digest)
  }

  /// Records an edit of a file that was edited `earlierEdits` times.
  private func record(_ folder: TemporaryFolder, earlierEdits: Int) throws -> Scenario {
    let path = folder.file("a.kist")
    try writeSample(path, entries: Self.entries)
    for edit in 0..<earlierEdits {
      let editor = try KistEditor(path: path)
      editor.put(.asset("notes.txt", source: MemorySource(Array("edit \(edit)".utf8))))
      _ = try editor.commit()
    }
    let before = try readFile(path)
    let file = try KistFile(path: path)
    let output = RecordingOutput()
    let editor = try KistEditor(file, output: output, lock: nil, options: WriterOptions())
    editor.put(.tensor("c", dtype: .f32, shape: [100], source: MemorySource([UInt8](repeating: 9, count: 400))))
    editor.put(.tensor("a", dtype: .f32, shape: [4], source: MemorySource([UInt8](repeating: 8, count: 16))))
    try editor.remove("config.json", kind: .asset)
    _ = try editor.commit()

    var disk = SimulatedDisk(bytes: before)
    for case .write(let offset, let bytes) in output.operations { disk.apply(bytes[...], at: offset) }
    try writeFile(disk.bytes, folder.file("after.kist"))
    let after = try KistFile(path: folder.file("after.kist"))
    #expect(try after.verify(.full).problems == [])
    #expect(try after.bytes(of: after.tensor("a")) == [UInt8](repeating: 8, count: 16))
    return Scenario(
      before: before, operations: output.operations, digests: (file.packageDigest, after.packageDigest))
  }

  @Test(arguments: [0, 1, 2])
  func `a stop after any write leaves the old or the new file`(earlierEdits: Int) throws {
    let folder = try TemporaryFolder()
    let scenario = try record(folder, earlierEdits: earlierEdits)
    var disk = SimulatedDisk(bytes: scenario.before)
    let last = scenario.operations.count - 1
    for (index, operation) in scenario.operations.enumerated() {
      if case .write(let offset, let bytes) = operation { disk.apply(bytes[...], at: offset) }
      // The slot is the last write; the sync after it changes nothing that a reader sees.
      let expected = index >= last - 1 ? scenario.digests.new : scenario.digests.old
      try check(disk, folder, expecting: [expected], "after operation \(index)")
    }
  }

  @Test(arguments: [0, 1, 2])
  func `unsynced writes that are lost, torn or reordered leave the old or the new file`(earlierEdits: Int) throws {
    let folder = try TemporaryFolder()
    let scenario = try record(folder, earlierEdits: earlierEdits)
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for stop in 0...scenario.operations.count {
      for _ in 0..<20 {
        try check(
          crash(scenario, after: stop, using: &random), folder,
          expecting: [scenario.digests.old, scenario.digests.new], "stop \(stop), seed \(seed)")
      }
    }
  }

  /// What was synced is there; of the rest any part, in any order.
  private func crash(_ scenario: Scenario, after stop: Int, using random: inout SeededGenerator) -> SimulatedDisk {
    var disk = SimulatedDisk(bytes: scenario.before)
    let done = scenario.operations[..<stop]
    let synced = done.lastIndex { if case .sync = $0 { true } else { false } } ?? 0
    for case .write(let offset, let bytes) in done[..<synced] { disk.apply(bytes[...], at: offset) }
    for operation in done[synced...].shuffled(using: &random) {
      if case .write(let offset, let bytes) = operation { disk.applyTorn(bytes, at: offset, using: &random) }
    }
    return disk
  }

  private func check(
    _ disk: SimulatedDisk, _ folder: TemporaryFolder, expecting digests: [Digest], _ comment: Comment
  ) throws {
    let path = folder.file("crashed.kist")
    try writeFile(disk.bytes, path)
    let file = try KistFile(path: path)
    #expect(digests.contains(file.packageDigest), comment)
    // A torn slot is reported; everything else is whole.
    let problems = try file.verify(.full).problems.filter { !$0.problem.hasPrefix("slot") }
    #expect(problems == [], comment)

    // The next edit works, and mends the slot.
    let editor = try KistEditor(path: path)
    editor.put(.asset("later.txt", source: MemorySource([1])))
    _ = try editor.commit()
    let mended = try KistFile(path: path)
    #expect(try mended.verify(.full).problems == [], comment)
    #expect(try mended.bytes(of: mended.asset("later.txt")) == [1], comment)
  }
}
