import Foundation
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct SetJoinTests {
  static let sources = ["tiny-llama", "tiny-llama-sharded", "tiny-llama-bin", "dtypes.safetensors"]
    .map { "\(repository)/Fixtures/\($0)" }

  private func convert(
    _ source: String, _ target: String, packing: Packing = .auto, part: String? = nil, tensors: [String] = []
  ) throws {
    let options = ConversionOptions(
      packing: packing, tensors: tensors, probes: .none, part: try part.map { try #require(PartNumber($0)) })
    _ = try Conversion.plan(source: source, target: target, options: options).run(progress: NoProgress())
  }

  /// Paths of all parts of a conversion, made.
  private func makeParts(
    of source: String, _ folder: TemporaryFolder, _ name: String = "big", count: Int = 4, packing: Packing = .auto,
    tensors: [String] = []
  ) throws -> [String] {
    try (1...count).map { number in
      try convert(source, folder.file("\(name).kist"), packing: packing, part: "\(number)/\(count)", tensors: tensors)
      return folder.file("\(name)-part-0000\(number)-of-0000\(count).kist")
    }
  }

  private func join(_ paths: [String], _ target: String) throws {
    _ = try SetJoin(paths: paths, target: target).run()
  }

  @Test(arguments: sources, Packing.allCases)
  func `joined parts are the file that one run writes`(source: String, packing: Packing) throws {
    let folder = try TemporaryFolder()
    try convert(source, folder.file("one.kist"), packing: packing)
    let parts = try makeParts(of: source, folder, packing: packing)
    for part in parts { #expect(try KistFile(path: part).verify(.full).problems == []) }
    try join([parts[2], parts[0], parts[3], parts[1]], folder.file("joined.kist"))
    #expect(try readFile(folder.file("joined.kist")) == readFile(folder.file("one.kist")))
  }

  @Test(arguments: Packing.allCases)
  func `a signed container with equal tensors comes back whole from its parts, and signed`(packing: Packing) throws {
    let folder = try TemporaryFolder()
    let key = SigningKey()
    try writeSample(folder.file("source.kist"))
    try KistEditor.sign(path: folder.file("source.kist"), key: key)
    try convert(folder.file("source.kist"), folder.file("one.kist"), packing: packing)
    // Of more parts than there are large tensors: some are empty.
    let parts = try makeParts(of: folder.file("source.kist"), folder, count: 9, packing: packing)
    for part in parts { #expect(try KistFile(path: part).verify(.full).problems == []) }
    try join(parts, folder.file("joined.kist"))
    #expect(try readFile(folder.file("joined.kist")) == readFile(folder.file("one.kist")))
    #expect(try KistFile(path: folder.file("joined.kist")).isSigned(by: key.verifyingKey))
  }

  @Test func `padding is zero where a second copy of a raw tensor was taken back`() throws {
    let folder = try TemporaryFolder()
    let content = MemorySource([UInt8](repeating: 255, count: 70_000))
    let file = try writeSample(
      folder.file("a.kist"), packing: .none,
      entries: [
        .tensor("a", dtype: .u8, shape: [70_000], source: content),
        .tensor("b", dtype: .u8, shape: [70_000], source: content),
      ])
    let bytes = try readFile(folder.file("a.kist"))
    #expect(bytes.count == file.byteCount)
    #expect(bytes[(16384 + 70_000)...].filter { $0 == 255 }.count < 1000, "only digests and the like follow")
  }

  @Test(arguments: ["1/1", "2/3", "7/7", "99999/99999"]) func `parts are numbered from one`(text: String) {
    #expect(PartNumber(text) != nil)
  }

  @Test(arguments: ["", "1", "0/3", "4/3", "-1/3", "1/0", "1/3/5", "a/b", "1/100000"])
  func `what is no part is refused`(text: String) {
    #expect(PartNumber(text) == nil)
  }

  @Test func `parts that do not go together are refused, saying why`() throws {
    let folder = try TemporaryFolder()
    let model = Self.sources[0]
    let good = try makeParts(of: model, folder)
    let raw = try makeParts(of: model, folder, "raw", packing: .none)
    let some = try makeParts(of: model, folder, "some", tensors: ["*"])
    let other = try makeParts(of: Self.sources[1], folder, "other")
    let three = try makeParts(of: model, folder, "three", count: 3)
    try convert(model, folder.file("whole.kist"))
    let cases: [(paths: [String], words: [String])] = [
      (Array(good[..<3]), ["part 4 is not there"]),
      (Array(good[2...]), ["parts 1, 2 are not there"]),
      (good + [good[1]], ["is part 2 of 4, and so is"]),
      (Array(good[..<3]) + [raw[3]], [raw[3], "pack is 'none', the other's 'auto'"]),
      (Array(good[..<3]) + [some[3]], ["tensors is '*', the other's not given"]),
      (Array(good[..<3]) + [other[3]], [other[3], "another source"]),
      (Array(good[..<3]) + [three[2]], ["one of 3 parts, the other one of 4"]),
      (Array(good[..<3]) + [folder.file("whole.kist")], ["is a whole file"]),
    ]
    for (paths, words) in cases {
      let error = #expect(throws: KistError.self) { try join(paths, folder.file("joined.kist")) }
      for word in words { #expect("\(error!)".contains(word), "\(error!)") }
      #expect(!folder.contents.contains("joined.kist"))
    }
  }

  @Test func `two checkpoints of one training run are different sources`() throws {
    let folder = try TemporaryFolder()
    for (name, value) in [("a", 1), ("b", 2)] {
      let tensor = f32("w", [Float](repeating: Float(value), count: 64))
      try writeSample(folder.file("\(name).kist"), entries: [tensor])
      _ = try Conversion.plan(
        source: folder.file("\(name).kist"), target: folder.file("\(name).safetensors"), options: ConversionOptions()
      ).run(progress: NoProgress())
    }
    let parts = try ["a", "b"].map { name in
      try makeParts(of: folder.file("\(name).safetensors"), folder, name, count: 2)
    }
    let error = #expect(throws: KistError.self) { try join([parts[0][0], parts[1][1]], folder.file("joined.kist")) }
    #expect("\(error!)".contains("another source"))
  }

  @Test func `a damaged part leaves no joined file`() throws {
    let folder = try TemporaryFolder()
    let parts = try makeParts(of: Self.sources[0], folder)
    var bytes = try readFile(parts[1])
    bytes[20_000] ^= 1
    try writeFile(bytes, parts[1])
    let error = #expect(throws: KistError.self) { try join(parts, folder.file("joined.kist")) }
    #expect(error?.kind == .damaged && error?.file == parts[1])
    #expect(!folder.contents.contains("joined.kist"))
  }

  @Test func `parts are of similar size and lie side by side`() throws {
    let sizes = [5, 0, 40, 3, 3, 3, 90, 1, 1, 20, 20, 0]
    for count in 1...14 {
      let ranges = try (1...count).map { try #require(PartNumber("\($0)/\(count)")).range(ofItems: sizes) }
      var end = 0
      for range in ranges where !range.isEmpty {
        #expect(range.lowerBound == end)
        end = range.upperBound
      }
      #expect(end == sizes.count)
      // No part has more than its share and one item on top.
      for range in ranges { #expect(sizes[range].reduce(0, +) <= 186 / count + 90) }
    }
  }
}
