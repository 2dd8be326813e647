import Foundation
import KistCore
import KistFormat
import TestSupport
import Testing

/// Mutates containers, mends their checksums so that the checks behind them are reached, and reads what is left.
///
/// Nothing that a file says may crash, hang or take much memory. The number of cases is 80,000 (SafetensorsFuzzTests adds 20,000), or `KIST_FUZZ_CASES`.
@Suite struct ContainerFuzzTests {
  private static let caseCount = ProcessInfo.processInfo.environment["KIST_FUZZ_CASES"].flatMap(Int.init) ?? 80_000

  @Test func `mutated containers are refused or read, and never crash`() throws {
    let folder = try TemporaryFolder()
    let base = try smallContainer(folder.file("base.kist"))
    let seed = UInt64.random(in: 0...UInt64.max)
    print("container fuzz: \(Self.caseCount) cases, seed \(seed)")
    let path = folder.file("mutated.kist")
    var random = SeededGenerator(seed: seed)
    var outcomes = (opened: 0, refused: 0, damaged: 0)
    for number in 0..<Self.caseCount {
      let bytes = mutate(base, using: &random)
      try writeFile(bytes, path)
      do {
        let file = try KistFile(path: path)
        outcomes.opened += 1
        try readEverything(file)
        if try !file.verify(number % 2 == 0 ? .full : .quick, parallelism: Parallelism(threads: 1)).isSound {
          outcomes.damaged += 1
        }
      } catch let error as KistError {
        #expect(error.file == path, "seed \(seed), case \(number): \(error)")
        outcomes.refused += 1
      }
    }
    // A fuzzer whose inputs all stop at the first checksum would prove nothing.
    #expect(
      outcomes.opened > Self.caseCount / 10 && outcomes.refused > Self.caseCount / 10, "\(outcomes), seed \(seed)")
    #expect(outcomes.damaged > Self.caseCount / 100, "\(outcomes), seed \(seed)")
  }

  private struct Base {
    var bytes: [UInt8]
    var root: Root
    var slot: CommitSlot
  }

  private func smallContainer(_ path: String) throws -> Base {
    var random = SeededGenerator(seed: 3)
    let writer = try KistWriter(creating: path)
    try writer.add([
      .tensor("weights", dtype: .bf16, shape: [32, 16], source: MemorySource(random.bf16Weights(512))),
      .tensor("bias", dtype: .f32, shape: [5], source: MemorySource(random.bytes(20))),
      .tensor(
        "blocks", dtype: .q4_k, shape: [16, 256], source: MemorySource([UInt8](repeating: 5, count: 16 * 144))),
      .tensor("table", dtype: .i64, shape: [2, 2, 16], source: MemorySource([UInt8](repeating: 3, count: 512))),
      .asset(
        "config.json",
        source: MemorySource(Array(#"{"architectures": ["Test"], "x": "\#(String(repeating: "y", count: 300))"}"#.utf8))
      ),
    ])
    var metadata = Metadata()
    metadata["format"] = .string("pt")
    try writer.add(metadata: metadata)
    try writer.finish()
    let file = try KistFile(path: path)
    return Base(bytes: try readFile(path), root: file.index.root, slot: file.slot)
  }

  private func mutate(_ base: Base, using random: inout SeededGenerator) -> [UInt8] {
    var bytes = base.bytes
    let interesting = Layout.bodyOffset..<bytes.count
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let isHead = Int.random(in: 0..<8, using: &random) == 0
      let range = isHead ? 0..<Layout.bodyOffset : region(base, using: &random) ?? interesting
      let position = Int.random(in: range, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
      case 2:
        let value: UInt64 =
          [0, 1, 64, 16384, 1 << 20, 1 << 31, 1 << 32, 1 << 62, .max, .max - 63].randomElement(using: &random) ?? 0
        let width = [2, 4, 8].randomElement(using: &random) ?? 4
        for byte in 0..<width where position + byte < bytes.count {
          bytes[position + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte))
        }
      default:
        let from = Int.random(in: interesting, using: &random)
        for byte in 0..<min(32, bytes.count - max(from, position)) { bytes[position + byte] = base.bytes[from + byte] }
      }
    }
    if Int.random(in: 0..<10, using: &random) > 0 { reseal(&bytes, base) }
    if Int.random(in: 0..<12, using: &random) == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
    return bytes
  }

  /// One of the index blocks or the root, which are small beside the rest.
  private func region(_ base: Base, using random: inout SeededGenerator) -> Range<Int>? {
    let root = base.slot.rootOffset..<base.slot.rootOffset + base.slot.rootByteCount
    let all = base.root.blocks.map(\.range).filter { !$0.isEmpty } + [root, 16384..<base.root.chunks[0].offset]
    return all.randomElement(using: &random)
  }

  /// Writes the checksums that the mutated index has, where the original had its own.
  private func reseal(_ bytes: inout [UInt8], _ base: Base) {
    for (index, block) in base.root.blocks.enumerated() where !block.range.isEmpty {
      let content = Array(bytes[block.range])
      let at = base.slot.rootOffset + Layout.rootHeaderByteCount + index * Layout.blockDescriptionByteCount
      store(xxh3(content), &bytes, at + 32)
      bytes.replaceSubrange(at + 40..<at + 72, with: Digest(hashing: content).bytes)
    }
    let root = Array(bytes[base.slot.rootOffset..<base.slot.rootOffset + base.slot.rootByteCount])
    bytes.replaceSubrange(4096 + 56..<4096 + 88, with: Digest(hashing: root).bytes)
    for page in [0, 4096] { store(xxh3(Array(bytes[page..<page + 4088])), &bytes, page + 4088) }
  }

  private func store(_ value: UInt64, _ bytes: inout [UInt8], _ position: Int) {
    for byte in 0..<8 { bytes[position + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }

  private func readEverything(_ file: KistFile) throws {
    for entry in file.entries where entry.byteCount < 1 << 24 {
      do throws(KistError) { _ = try file.bytes(of: entry) } catch {
        #expect(error.file == file.path)
      }
    }
    _ = try? file.metadata()
    _ = try? file.signatures()
    _ = try? file.tensor("weights")
  }
}
