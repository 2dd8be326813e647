import Foundation
import KistCheckpoints
import KistCore
import TestSupport
import Testing

extension Tag {
  @Tag static var slow: Self
}

/// A safetensors file of this JSON and as many zeros.
func safetensors(_ json: [UInt8], dataByteCount: Int = 0) -> [UInt8] {
  let length = UInt64(json.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + json
    + [UInt8](repeating: 0, count: dataByteCount)
}

/// A file of tensors of one F32 each.
func safetensors(tensors names: [String]) throws -> [UInt8] {
  let layout = try SafetensorsHeader.layOut(names.map { .init(name: $0, dtype: .f32, shape: [1]) }, metadata: [])
  return layout.bytes + [UInt8](repeating: 0, count: 4 * names.count)
}

@Suite struct SafetensorsTests {
  private func header(_ bytes: [UInt8]) throws -> SafetensorsHeader {
    try SafetensorsHeader(unsafe bytes.span.bytes)
  }

  // Fixtures/make/safetensors_layout.py lets the library write it.
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func `a header is laid out as the safetensors library does, byte for byte`(seed: UInt64) throws {
    let file = try SafetensorsFile(path: repository + "/Fixtures/layout.safetensors")
    #expect(file.header.tensors.count > 50)
    var random = SeededGenerator(seed: seed)
    let shuffled = file.header.tensors.shuffled(using: &random)
    let layout = try SafetensorsHeader.layOut(
      shuffled.map { .init(name: $0.name, dtype: $0.dtype, shape: $0.shape) }, metadata: file.header.metadata)
    #expect(layout.bytes == file.headerBytes)
    #expect(layout.fileByteCount == file.byteCount)
    for (index, range) in layout.order { #expect(range == shuffled[index].range) }
  }

  @Test func `a file of the library is read as it is`() throws {
    let header = try SafetensorsFile(path: repository + "/Fixtures/layout.safetensors").header
    #expect(header.metadata == [.init(key: "größe", value: "ß\u{8}\"x\"\n")])
    let dtypes: Set<String> = Set(header.tensors.map(\.dtype.name))
    #expect(dtypes == Set(DType.all.filter { !$0.isBlockType }.map(\.name)).subtracting(["F6_E2M3", "F6_E3M2"]))
    let pair = try #require(header.tensors.first { $0.name == "a float4_e2m1fn_x2" })
    #expect(pair.shape == [1, 1, 6])
    let odd = try #require(header.tensors.first { $0.name == "\0\u{1f}\u{7f}" })
    #expect(odd.range.count == 2)
  }

  @Test func `a file without tensors has a header all the same`() throws {
    let bytes = try SafetensorsHeader.layOut([], metadata: []).bytes
    #expect(bytes == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
    #expect(try header(bytes).tensors.isEmpty)
  }

  @Test func `a shape without a length in bytes is not laid out`() {
    for (dtype, shape) in [(DType.f32, [Int.max, 2]), (.f4, [3]), (.f64, [Int.max / 8])] {
      #expect {
        try SafetensorsHeader.layOut([.init(name: "a", dtype: dtype, shape: Shape(shape))], metadata: [])
      } throws: {
        ($0 as? KistError)?.kind == .invalid && "\($0)".contains("'a'")
      }
    }
  }

  @Test func `tensors whose lengths add up to more than any file has are not laid out`() {
    let tensors = ["a", "b"].map {
      SafetensorsHeader.Description(name: $0, dtype: .u8, shape: Shape([Int.max / 8]))
    }
    let many = (0..<20).flatMap { _ in tensors }
    #expect { try SafetensorsHeader.layOut(many, metadata: []) } throws: { ($0 as? KistError)?.kind == .invalid }
  }

  @Test func `a header kept without its data is read the same`() throws {
    let file = try SafetensorsFile(path: repository + "/Fixtures/dtypes.safetensors")
    let detached = try SafetensorsHeader(detached: file.headerBytes)
    #expect(detached.tensors.map(\.name) == file.header.tensors.map(\.name))
    #expect(detached.tensors.map(\.range) == file.header.tensors.map(\.range))
    #expect(throws: KistError.self) { try SafetensorsHeader(detached: Array(file.headerBytes.dropLast())) }
    #expect(throws: KistError.self) { try SafetensorsHeader(detached: file.headerBytes + [32]) }
  }

  @Test func `a tensor's bytes are those at its offsets`() throws {
    let folder = try TemporaryFolder()
    let json =
      #"{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#
    try writeFile(safetensors(Array(json.utf8)) + [7, 8, 9], folder.file("x.safetensors"))
    let file = try SafetensorsFile(path: folder.file("x.safetensors"))
    #expect(file.header.tensors.map(\.name) == ["a", "b"])
    let contents = file.header.tensors.map { tensor in
      unsafe file.bytes(of: tensor).withUnsafeBytes { unsafe [UInt8]($0) }
    }
    #expect(contents == [[7], [8, 9]])
  }

  @Test func `100,000 tensors are no trouble`() throws {
    let names = (0..<100_000).map { "model.layers.\($0).weight" }
    let tensors = try header(try safetensors(tensors: names)).tensors
    #expect(tensors.count == 100_000)
    #expect(Set(tensors.map(\.name)).count == 100_000)
    #expect(tensors.map(\.range.lowerBound) == tensors.indices.map { tensors[0].range.lowerBound + 4 * $0 })
  }

  @Test(arguments: [100_000_001, UInt64(Int.max), UInt64(Int.max) - 7, .max])
  func `a header that says it is longer than 100 MB is refused unread`(length: UInt64) {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array("{}".utf8)
    #expect {
      try header(bytes)
    } throws: {
      ($0 as? KistError)?.kind == .damaged && "\($0)".contains("header length")
    }
  }

  enum Garbage: String, CaseIterable {
    case arrays = "["
    case objects = #"{"a":"#
    case quotes = "\""
    case spaces = " "
    /// One tensor with a shape of many dimensions.
    case dimensions = "1,"

    var json: [UInt8] {
      let unit = Array(rawValue.utf8)
      var json: [UInt8] = self == .dimensions ? Array(#"{"a":{"dtype":"F32","data_offsets":[0,4],"shape":["#.utf8) : []
      let end = Array(self == .dimensions ? "1]}}".utf8 : "".utf8)
      json.reserveCapacity(SafetensorsHeader.maximumByteCount)
      while json.count <= SafetensorsHeader.maximumByteCount - unit.count - end.count { json += unit }
      return json + end
    }
  }

  @Test(.tags(.slow), .timeLimit(.minutes(1)), arguments: Garbage.allCases)
  func `100 MB of garbage is refused soon`(garbage: Garbage) throws {
    let bytes = safetensors(garbage.json, dataByteCount: 4)
    #expect(throws: KistError.self) { try header(bytes) }
  }
}
