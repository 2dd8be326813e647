import KistCheckpoints
import KistCore
import KistFormat

/// A model in any format that Kist reads, opened.
///
/// What differs between the formats ends here: everything above sees tensors, assets and metadata.
public struct Checkpoint: Sendable {
  /// What the files are.
  public enum Format: String, Sendable {
    case kist
    /// One file of tensors.
    case safetensors
    /// One file, or the parts of a split one.
    case gguf
    /// A folder as on the Hugging Face hub.
    case huggingFace = "huggingface"
    /// A zip archive that `torch.save` wrote.
    case pytorch
    /// A zip archive of NumPy arrays.
    case npz
    /// One NumPy array.
    case npy
  }

  /// The path as it was given.
  public let path: String
  public let format: Format
  /// In the order of the source.
  public internal(set) var tensors: [CheckpointTensor]
  /// Source files that are not weights, in the order of the source; none for a loose safetensors file.
  public let assets: [CheckpointAsset]
  /// Names of the weight files, relative to the model's folder, in order.
  public let weightFiles: [WeightFile]
  /// The key-values that came with the weights.
  public let metadata: Metadata
  /// Folders with nothing in them, relative to the model's folder.
  public let emptyDirectories: [String]
  /// Files of a folder that are not part of the checkpoint as it is read, each with the reason.
  public let leftOut: [LeftOutFile]
  /// The container, when this is one.
  public let container: KistFile?
  /// Length of all files that were read.
  public let byteCount: Int
  /// The other files of a set of containers, after ``container``.
  package var otherContainers: [KistFile] = []
  /// All files, in order.
  package var containers: [KistFile] { (container.map { [$0] } ?? []) + otherContainers }
  /// Zip archives that the tensors come from; `verify` checks their CRC-32s.
  package var archives: [ZipArchive] = []
}

/// A file of a folder that was not read.
public struct LeftOutFile: Sendable, Equatable {
  public var path: String
  public var reason: String
}

/// A tensor of a checkpoint: what it is, and its bytes.
public struct CheckpointTensor: Sendable {
  public var name: String
  /// Nil when this version does not know the dtype.
  public var dtype: DType?
  public var shape: Shape
  /// The content: row-major, little-endian.
  public var source: any ByteSource
  /// The container's entry, when the checkpoint is one; it has digest and packing.
  public var entry: Entry?
  /// Index in ``Checkpoint/weightFiles`` of the file that the tensor came from; nil when it belongs to none.
  public var weightFile: Int?
  /// The source's tensors that a conversion makes this one of, where it is not simply one of them.
  package var origins: [Origin] = []
  /// What a training goes on from, beside the model: computing and other formats pass it over.
  public var isTrainingState = false

  public var byteCount: Int { source.byteCount }

  /// A tensor that another is made of.
  package struct Origin: Sendable, Equatable {
    package var name: String
    package var dtype: DType?

    package init(name: String, dtype: DType?) {
      self.name = name
      self.dtype = dtype
    }
  }
}

/// A file that travels with the weights.
public struct CheckpointAsset: Sendable {
  /// Relative path, `/` between its parts.
  public var path: String
  public var source: any ByteSource
  public var entry: Entry?

  public var byteCount: Int { source.byteCount }
}

/// A file of weights, without the tensors' data.
public struct WeightFile: Sendable {
  public var path: String
  /// What of the file is no tensor data, as it was: of safetensors the length field and the JSON, of GGUF the header, padding between
  /// tensors, and what follows the last, one after the other.
  public var source: any ByteSource

  public func header() throws(KistError) -> [UInt8] {
    var header: [UInt8] = []
    header.reserveCapacity(source.byteCount)
    for start in stride(from: 0, to: source.byteCount, by: Layout.maximumChunkByteCount) {
      let range = start..<min(start + Layout.maximumChunkByteCount, source.byteCount)
      unsafe try source.withBytes(range) { bytes throws(KistError) in unsafe header.append(contentsOf: bytes) }
    }
    return header
  }
}
