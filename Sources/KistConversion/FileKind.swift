import KistCore
import KistFormat

/// What a file is, told by its first bytes.
enum FileKind {
  case kist
  case safetensors
  case gguf
  /// A zip archive: of PyTorch or NumPy.
  case zip
  case npy
  /// A bare pickle, as PyTorch wrote checkpoints before 1.6.
  case pickle
  /// Something known that is not read, named for a person.
  case other(String)

  /// First bytes of formats that people may hand us.
  private static let signatures: [(bytes: [UInt8], name: String)] = [
    ([0x89] + Array("HDF".utf8), "an HDF5 file"),
    ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file"),
    ([0x1F, 0x8B], "a gzip file"),
  ]

  /// Nil when the content says nothing.
  init?(of file: MappedFile) {
    let start = unsafe [UInt8](file.pointer(0..<min(16, file.count)))
    // A container whose magic was mangled in transfer is still told as one, so that the error can say so.
    if start.count >= 5, Array(start[1..<5]) == Array(Layout.magic[1..<5]) {
      self = .kist
    } else if start.starts(with: "GGUF".utf8) {
      self = .gguf
    } else if start.count > 8, start[8] == UInt8(ascii: "{") {
      self = .safetensors
    } else if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
      self = .zip
    } else if start.starts(with: [0x93] + Array("NUMPY".utf8)) {
      self = .npy
    } else if start.count >= 2, start[0] == 0x80, (2...5).contains(start[1]) {
      self = .pickle
    } else if let known = FileKind.signatures.first(where: { start.starts(with: $0.bytes) }) {
      self = .other(known.name)
    } else {
      return nil
    }
  }
}
