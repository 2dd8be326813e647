import KistCheckpoints
import KistCore
import TestSupport
import Testing

/// Fixtures/npz holds archives that numpy wrote, and beside each its arrays, written by the safetensors library; see
/// Fixtures/make/npz.py.
@Suite struct NpzTests {
  private static let folder = repository + "/Fixtures/npz/"

  private func open(_ path: String) throws -> NpzFile { try NpzFile(try ZipArchive(try MappedFile(path: path))) }

  @Test(arguments: fixtures("npz", ".npz"))
  func `an archive holds what numpy loads of it`(name: String) throws {
    let file = try open(Self.folder + name + ".npz")
    let expected = try PlainTensor.all(ofSafetensors: Self.folder + name + ".safetensors")
    var found: [[UInt8]: PlainTensor] = [:]
    for array in file.arrays {
      found[Array(array.name.utf8)] = try PlainTensor(dtype: array.dtype, shape: array.shape, source: array.source)
    }
    #expect(Set(found.keys) == Set(expected.keys) && file.others == [])
    for (name, tensor) in expected { #expect(found[name] == tensor, "\(String(decoding: name, as: UTF8.self))") }
  }

  @Test func `the fixtures have every dtype that numpy has`() throws {
    let dtypes = Set(try open(Self.folder + "deflated.npz").arrays.map(\.dtype))
    #expect(dtypes == Set(DType.all.filter { $0.numpyDescriptor != nil }))
    #expect(fixtures("npz", ".npz").count == 4)
  }

  @Test func `a deflated array can be read again after it was let go of`() throws {
    let array = try #require(try open(Self.folder + "zip64-deflated.npz").arrays.last)
    let bytes = try allBytes(of: array.source)
    array.source.release(0..<array.source.byteCount)
    #expect(try allBytes(of: array.source) == bytes && bytes.count == 2400)
  }

  @Test(arguments: ["stored", "deflated"])
  func `content that was changed is found by its CRC-32`(name: String) throws {
    let folder = try TemporaryFolder()
    var bytes = try readFile(Self.folder + name + ".npz")
    let archive = try ZipArchive(try MappedFile(path: Self.folder + name + ".npz"))
    for entry in archive.entries { try unsafe entry.readContent(in: archive.file) { _ in } }
    let entry = try #require(archive.find("fortran.npy"))
    bytes[entry.range.upperBound - 3] ^= 16
    try writeFile(bytes, folder.file("a.npz"))
    let changed = try ZipArchive(try MappedFile(path: folder.file("a.npz")))
    let same = try #require(changed.find("fortran.npy"))
    #expect {
      try unsafe same.readContent(in: changed.file) { _ in }
    } throws: {
      ($0 as? KistError)?.kind == .damaged && "\($0)".contains("fortran.npy")
    }
  }

  @Test(arguments: ["zip64", "deflated"])
  func `a file that is cut short is refused, wherever`(name: String) throws {
    let folder = try TemporaryFolder()
    let bytes = try readFile(Self.folder + name + ".npz")
    for length in 0..<bytes.count {
      try writeFile(Array(bytes[..<length]), folder.file("a.npz"))
      #expect {
        try open(folder.file("a.npz"))
      } throws: {
        ($0 as? KistError)?.file == folder.file("a.npz")
      }
    }
  }
}
