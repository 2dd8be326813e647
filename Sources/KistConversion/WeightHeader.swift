import KistCheckpoints
import KistCore
import KistFormat

/// The header of a weight file that was kept without the tensors' data, in any of the formats that have one.
enum WeightHeader {
  case safetensors(SafetensorsHeader)
  case gguf(GGUFFile)

  /// Longer ones are not read.
  static let maximumByteCount = max(SafetensorsHeader.maximumByteCount + 8, GGUFHeader.maximumByteCount)

  /// Nil when the bytes are no header of a format that this version knows.
  init?(_ bytes: [UInt8]) {
    if bytes.starts(with: "GGUF".utf8) {
      guard let file = try? GGUFFile(detached: bytes) else { return nil }
      self = .gguf(file)
    } else {
      guard let header = try? SafetensorsHeader(detached: bytes) else { return nil }
      self = .safetensors(header)
    }
  }

  var tensorNames: [String] {
    switch self {
    case .safetensors(let header): header.tensors.map(\.name)
    case .gguf(let file): file.header.tensors.map(\.name)
    }
  }

  func items() throws(KistError) -> [(key: String, value: Metadata.Value)] {
    switch self {
    case .safetensors(let header): header.metadata.map { ($0.key, .string($0.value)) }
    case .gguf(let file): try file.metadataItems()
    }
  }
}

extension Checkpoint {
  /// The key-values of weight files: for each key, what the first file that has it says.
  package static func metadata(of files: [WeightFile]) throws(KistError) -> Metadata {
    var items: [(key: String, value: Metadata.Value)] = []
    for file in files {
      if let header = WeightHeader(try file.header()) { items += try header.items() }
    }
    return Metadata(items)
  }
}
