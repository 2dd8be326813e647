import Foundation
import KistCheckpoints
import KistCore
import TestSupport
import Testing

/// Archives and the pickles in them with bytes changed, put in and taken out: each is refused with an error, or what is read of it makes
/// sense.
@Suite struct ArchiveFuzzTests {
  private static let caseCount = ProcessInfo.processInfo.environment["KIST_FUZZ_CASES"].flatMap { Int($0) } ?? 20_000
  private static let fixtures = repository + "/Fixtures/"

  private struct Outcomes {
    var read = 0
    var refused = 0
  }

  @Test(arguments: ["training", "strides", "parameters", "protocol-4"])
  func `a mutated pickle is refused or consistent`(name: String) throws {
    let path = Self.fixtures + "pytorch/\(name).pt"
    let archive = try ZipArchive(try MappedFile(path: path))
    let bytes = try readFile(path)
    var entries = archive.entries.map { ($0.name, Array(bytes[$0.range])) }
    let place = try #require(entries.firstIndex { $0.0.hasSuffix("data.pkl") })
    let pickle = entries[place].1
    try fuzz(seed: 31) { random in
      entries[place].1 = mutate(pickle, Self.pickleParts, using: &random)
      return zip(entries)
    }
  }

  @Test(arguments: ["pytorch/module.pt", "pytorch/deflated.pt", "npz/zip64.npz", "npz/deflated.npz"])
  func `a mutated archive is refused or consistent`(name: String) throws {
    let bytes = try readFile(Self.fixtures + name)
    // Most changes fall into content, which only `verify` looks at; the directory at the end gets half of them.
    try fuzz(seed: 32) { random in
      let cut = Bool.random(using: &random) ? 0 : max(0, bytes.count - 600)
      return Array(bytes[..<cut]) + mutate(Array(bytes[cut...]), Self.zipParts, using: &random)
    }
  }

  private func fuzz(seed: UInt64, _ next: (inout SeededGenerator) -> [UInt8]) throws {
    var random = SeededGenerator(seed: seed)
    var outcomes = Outcomes()
    for number in 0..<Self.caseCount / 8 {
      let file = try UnnamedFile()
      try file.output.write(next(&random), at: 0)
      do {
        let checkpoint = try open(try file.mapped(as: "fuzzed"))
        outcomes.read += 1
        try check(checkpoint, "seed \(seed), case \(number)")
      } catch let error as KistError {
        outcomes.refused += 1
        #expect(!error.problem.isEmpty && error.kind != .system, "\(error), seed \(seed), case \(number)")
      }
    }
    // A fuzzer whose inputs all stop at the parser, or none, would prove nothing.
    #expect(outcomes.read > Self.caseCount / 800 && outcomes.refused > Self.caseCount / 80, "\(outcomes), seed \(seed)")
  }

  private typealias Tensor = (name: String, dtype: DType, shape: Shape, source: any ByteSource)

  private func open(_ file: MappedFile) throws -> [Tensor] {
    let archive = try ZipArchive(file)
    if PyTorchFile.isPyTorch(archive) {
      return try PyTorchFile(archive).tensors.map { ($0.name, $0.dtype, $0.shape, $0.source) }
    }
    return try NpzFile(archive).arrays.map { ($0.name, $0.dtype, $0.shape, $0.source) }
  }

  private func check(_ tensors: [Tensor], _ comment: String) throws {
    for tensor in tensors {
      #expect(
        tensor.shape.elementCount.flatMap(tensor.dtype.byteCount(ofElements:)) == tensor.source.byteCount,
        "\(comment): \(tensor.name)")
      let range = 0..<min(tensor.source.byteCount, 1 << 16)
      // Deflated content may turn out damaged here.
      try unsafe tensor.source.withBytes(range) { #expect($0.count == range.count) }
    }
    #expect(Set(tensors.map { Array($0.name.utf8) }).count == tensors.count, "\(comment)")
  }

  // MARK: - Mutations

  private static let pickleParts: [[UInt8]] =
    (["(", "t", "R", "}", "]", "u", "e", "0", "2", "q\0", "h\0", "h\u{1}", "Q", ")", "b", "N.", "K\u{1}"].map {
      Array($0.utf8)
    })
    + [[0x85], [0x86], [0x87], [0x94], [0x93], [0x8A, 8, 255, 255, 255, 255, 255, 255, 255, 127]]
    + [[0x4A, 255, 255, 255, 127], [0x4A, 0, 0, 0, 128], [0x58, 255, 255, 255, 255], [0x8A, 0]]

  private static let zipParts: [[UInt8]] = [
    [0x50, 0x4B, 1, 2], [0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x50, 0x4B, 6, 6], [0x50, 0x4B, 6, 7],
    [255, 255, 255, 255], [0, 0, 0, 0], [255, 255], [0, 0, 0, 128], Array("../".utf8),
  ]

  private func mutate(_ bytes: [UInt8], _ parts: [[UInt8]], using random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let position = Int.random(in: 0..<bytes.count, using: &random)
      let part = parts.randomElement(using: &random) ?? []
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[position] = UInt8.random(in: 0...255, using: &random)
      case 2: bytes.insert(contentsOf: part, at: position)
      case 3: bytes.replaceSubrange(position..<min(bytes.count, position + part.count), with: part)
      case 4: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...8, using: &random)))
      default:
        let from = Int.random(in: 0..<bytes.count, using: &random)
        bytes.insert(contentsOf: Array(bytes[from..<min(bytes.count, from + 40)]), at: position)
      }
      if bytes.isEmpty { bytes = [0] }
    }
    return bytes
  }

  // MARK: - Archives

  /// An archive of stored entries, without CRC-32s.
  private func zip(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
    func u16(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }
    func u32(_ value: Int) -> [UInt8] { u16(value & 0xFFFF) + u16(value >> 16) }
    var (body, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, content) in entries {
      let (offset, sizes) = (body.count, u32(content.count) + u32(content.count) + u16(name.utf8.count))
      let common = u16(0) + u16(0) + u32(0) + u32(0) + sizes + u16(0)
      body += u32(0x0403_4B50) + u16(20) + common + Array(name.utf8) + content
      directory += u32(0x0201_4B50) + u16(20) + u16(20) + common + u16(0) + u16(0) + u16(0) + u32(0) + u32(offset)
      directory += Array(name.utf8)
    }
    let counts = u16(0) + u16(0) + u16(entries.count) + u16(entries.count)
    return body + directory + u32(0x0605_4B50) + counts + u32(directory.count) + u32(body.count) + u16(0)
  }
}
