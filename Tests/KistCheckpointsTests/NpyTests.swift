import Foundation
import KistCheckpoints
import KistCore
import TestSupport
import Testing

/// Fixtures/npy holds arrays that numpy wrote, and expected.json what is in them; see Fixtures/make/npy.py.
@Suite struct NpyTests {
  struct Expected: Decodable {
    var dtype: String
    var shape: [Int]
    var bytes: String

    var content: [UInt8] {
      let digits = Array(bytes.utf8)
      return stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
      }
    }
  }

  private static let folder = repository + "/Fixtures/npy/"

  static let expected: [String: Expected] = {
    guard let bytes = try? readFile(folder + "expected.json") else { return [:] }
    return (try? JSONDecoder().decode([String: Expected].self, from: Data(bytes))) ?? [:]
  }()

  private static let refused = (try? FileManager.default.contentsOfDirectory(atPath: folder + "refused")) ?? []

  @Test(arguments: expected.keys.sorted())
  func `an array that numpy wrote is read in row-major little-endian order`(name: String) throws {
    let expected = try #require(Self.expected[name])
    let file = try NpyFile(path: Self.folder + name + ".npy")
    #expect(file.dtype.name == expected.dtype)
    #expect(file.shape.dimensions == expected.shape)
    #expect(try file.bytes() == expected.content)
  }

  /// Those in the order and byte order that we write, with the first version of the header.
  private static let plain = expected.keys.sorted().filter { name in
    !["fortran", "endian", "both", "version"].contains(where: name.contains)
  }

  @Test(arguments: plain)
  func `a header is the one that numpy writes`(name: String) throws {
    let expected = try #require(Self.expected[name])
    let dtype = try #require(DType(name: expected.dtype))
    let header = try NpyFile.header(dtype: dtype, shape: Shape(expected.shape))
    #expect(try header + expected.content == readFile(Self.folder + name + ".npy"))
  }

  @Test func `every dtype that numpy has is there`() {
    let dtypes = Set(Self.expected.values.map(\.dtype))
    #expect(dtypes == Set(DType.all.filter { $0.numpyDescriptor != nil }.map(\.name)))
    #expect(dtypes.count == 13)
    #expect(Self.refused.count >= 7)
  }

  @Test func `a dtype that numpy does not have gets no header`() {
    #expect {
      try NpyFile.header(dtype: .bf16, shape: [1])
    } throws: {
      ($0 as? KistError)?.kind == .unsupported && "\($0)".contains("BF16")
    }
  }

  @Test(arguments: refused)
  func `arrays of records, objects, text and dates are refused`(name: String) {
    let path = Self.folder + "refused/" + name
    #expect {
      try NpyFile(path: path)
    } throws: {
      ($0 as? KistError)?.kind == .unsupported && "\($0)".hasPrefix(path) && "\($0)".contains("descr")
    }
  }

  @Test(arguments: ["f32", "version-2", "scalar"])
  func `a file that is cut short is refused, wherever`(name: String) throws {
    let folder = try TemporaryFolder()
    let bytes = try readFile(Self.folder + name + ".npy")
    for length in 0..<bytes.count {
      try writeFile(Array(bytes[..<length]), folder.file("a.npy"))
      #expect {
        try NpyFile(path: folder.file("a.npy"))
      } throws: {
        ($0 as? KistError)?.file == folder.file("a.npy")
      }
    }
    try writeFile(bytes + [0], folder.file("a.npy"))
    #expect(throws: KistError.self) { try NpyFile(path: folder.file("a.npy")) }
  }

  private func read(header: String, data: Int = 0, version: UInt8 = 1) throws -> NpyFile {
    let folder = try TemporaryFolder()
    let text = Array(header.utf8)
    let length = [UInt8(text.count & 255), UInt8(text.count >> 8)] + (version == 1 ? [] : [0, 0])
    try writeFile(
      [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + [UInt8](repeating: 0, count: data),
      folder.file("a.npy"))
    return try NpyFile(path: folder.file("a.npy"))
  }

  @Test(arguments: [
    "", "{}", "not a dictionary", "{'descr': '<f4', 'fortran_order': False, }",
    "{'descr': '<f4', 'shape': (1,), }", "{'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }",
    "{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (,1)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}",
    "{'descr': '<f4', 'fortran_order': False 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': Falsey, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
    "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
    "{'descr': 'xf4', 'fortran_order': False, 'shape': (1,)}", "{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (\(String(repeating: "1,", count: 65))), }",
  ])
  func `a header that makes no sense is refused`(header: String) {
    #expect(throws: KistError.self) { try read(header: header, data: 4) }
  }

  @Test(arguments: [
    "{'shape':(1L,),'fortran_order':False,'descr':'=f4'}",
    "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (1,)}  \n",
    " { 'descr' : '<f4' , 'fortran_order' : True , 'shape' : ( 1 , ) , } ",
  ])
  func `other spellings of a header are read`(header: String) throws {
    let file = try read(header: header, data: 4)
    #expect(file.shape == [1])
    #expect(file.dtype == .f32)
  }

  @Test func `a version that is not known is refused, naming it`() {
    #expect {
      try read(header: "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", data: 4, version: 4)
    } throws: {
      ($0 as? KistError)?.kind == .unsupported && "\($0)".contains("version 4")
    }
  }
}
