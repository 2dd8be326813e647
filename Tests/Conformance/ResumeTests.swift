import Foundation
import KistConversion
import KistCore
import Synchronization
import TestSupport
import Testing

/// Large conversions that are interrupted and taken up again.
@Suite struct ResumeTests {
  /// Cancels after so many bytes.
  private final class Interrupting: ProgressObserver {
    private let most: Int
    private let cancellation: Cancellation
    private let done = Atomic<Int>(0)

    init(after most: Int, _ cancellation: Cancellation) {
      self.most = most
      self.cancellation = cancellation
    }

    func begin(_ stage: String, total: Int) {}
    func end() {}
    func advance(by byteCount: Int) {
      if done.add(byteCount, ordering: .relaxed).newValue >= most { cancellation.cancel() }
    }
  }

  private let source = "\(repository)/Fixtures/world-llama"

  private func conversion(
    _ target: String, _ type: TargetType, _ cancellation: Cancellation = Cancellation(), least: Int = 1
  ) throws -> Conversion {
    var options = ConversionOptions(
      type: type, verifies: false, probes: .none, parallelism: Parallelism(threads: 1, cancellation: cancellation))
    options.leastResumedByteCount = least
    return try Conversion.plan(source: source, target: target, options: options)
  }

  private func interrupt(_ target: String, _ type: TargetType, least: Int = 1) throws {
    let cancellation = Cancellation()
    let conversion = try self.conversion(target, type, cancellation, least: least)
    let error = #expect(throws: KistError.self) {
      try conversion.run(progress: Interrupting(after: 1_000_000, cancellation))
    }
    #expect(error?.kind == .interrupted)
    #expect((error?.advice?.contains("goes on") == true) == (least == 1))
  }

  @Test(arguments: ["out", "out.safetensors", "out.gguf", "out.kist"])
  func `an interrupted conversion goes on from where it was`(_ name: String) throws {
    let folder = try TemporaryFolder()
    _ = try conversion(folder.file("whole-" + name), .float(.f32)).run(progress: NoProgress())
    #expect(!folder.contents.contains { $0.contains(".part") })

    try interrupt(folder.file(name), .float(.f32))
    #expect(folder.contents.contains(name + ".part") && folder.contents.contains(name + ".part.journal"))
    #expect(!folder.contents.contains(name))
    let outcome = try conversion(folder.file(name), .float(.f32)).run(progress: NoProgress())
    #expect(outcome.notices.contains { $0.hasPrefix("went on from") })
    #expect(folder.contents.sorted() == [name, "whole-" + name])
    if name == "out" {
      #expect(try tree(folder.file(name)) == tree(folder.file("whole-" + name)))
    } else {
      #expect(try readFile(folder.file(name)) == readFile(folder.file("whole-" + name)))
    }
  }

  @Test func `interrupted shards go on from where they were`() throws {
    let folder = try TemporaryFolder()
    func conversion(_ target: String, _ cancellation: Cancellation = Cancellation()) throws -> Conversion {
      var options = ConversionOptions(
        shardByteCount: 1_000_000, probes: .none, parallelism: Parallelism(threads: 1, cancellation: cancellation))
      options.leastResumedByteCount = 1
      return try Conversion.plan(source: source, target: target, options: options)
    }
    let whole = folder.file("whole.kist")
    let files = try conversion(whole).run(progress: NoProgress()).files
    try #require(files.count > 2)
    let cancellation = Cancellation()
    #expect(throws: KistError.self) {
      try conversion(folder.file("a.kist"), cancellation).run(progress: Interrupting(after: 1_500_000, cancellation))
    }
    #expect(folder.contents.filter { $0.hasSuffix(".part.journal") }.count == files.count)
    let outcome = try conversion(folder.file("a.kist")).run(progress: NoProgress())
    #expect(outcome.notices.contains { $0.hasPrefix("went on from") })
    #expect(folder.contents.count == 2 * files.count)
    for (file, other) in zip(files, outcome.files) { #expect(try readFile(file) == readFile(other)) }
  }

  @Test func `bytes that are not what the journal says are written again, and a torn record does no harm`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.safetensors")
    _ = try conversion(folder.file("whole.safetensors"), .float(.f32)).run(progress: NoProgress())
    try interrupt(path, .float(.f32))
    var part = try readFile(path + ".part")
    for place in stride(from: 8, to: part.count, by: 100_000) { part[place] ^= 0xFF }
    try writeFile(part, path + ".part")
    try writeFile(try readFile(path + ".part.journal") + [1, 2, 3], path + ".part.journal")
    _ = try conversion(path, .float(.f32)).run(progress: NoProgress())
    #expect(try readFile(path) == readFile(folder.file("whole.safetensors")))
  }

  @Test func `other options start anew, and say so`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.safetensors")
    try interrupt(path, .float(.f32))
    let outcome = try conversion(path, .float(.bf16)).run(progress: NoProgress())
    #expect(outcome.notices.contains { $0.hasPrefix("started anew") })
    #expect(folder.contents == ["a.safetensors"])
    #expect(try Checkpoint.open(path: path).tensors.allSatisfy { $0.dtype == .bf16 })
  }

  @Test func `a small conversion leaves nothing, and a file of another's is not touched`() throws {
    let folder = try TemporaryFolder()
    try interrupt(folder.file("a.safetensors"), .float(.f32), least: 1 << 28)
    #expect(folder.contents.isEmpty)
    try writeFile([1], folder.file("b.safetensors.part"))
    let error = #expect(throws: KistError.self) {
      try conversion(folder.file("b.safetensors"), .float(.f32)).run(progress: NoProgress())
    }
    #expect(error?.kind == .conflict)
    #expect(try readFile(folder.file("b.safetensors.part")) == [1])
  }
}
