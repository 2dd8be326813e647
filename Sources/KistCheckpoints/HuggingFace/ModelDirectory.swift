import Foundation
import KistCore

/// A model's folder as on the Hugging Face hub: which files are weights, which travel beside them, which stay behind.
public struct ModelDirectory: Sendable {
  /// The path as it was given.
  public let path: String
  /// Safetensors files that hold the model's tensors, relative to the folder, in the order of their names.
  public let weightFiles: [String]
  /// All other files that are kept, relative to the folder, sorted by their bytes.
  public let assets: [String]
  /// Folders with nothing in them.
  public let emptyDirectories: [String]
  /// Files that are not kept, each with the reason.
  public let leftOut: [(path: String, reason: String)]

  static let singleFile = "model.safetensors"
  static let shardIndex = "model.safetensors.index.json"

  /// Lists a folder and its subfolders, following symbolic links, and sorts out what is what.
  ///
  /// - Parameter includingAllFiles: Keeps also second copies of the weights in other formats.
  /// - Throws: `missing` when a shard is not there; `unsupported` when there are no safetensors weights, or a name is not UTF-8;
  ///   `damaged` when the shard index contradicts the shards.
  public init(path: String, includingAllFiles: Bool = false) throws(KistError) {
    self.path = path
    let listing = try DirectoryListing(path)
    let weights = try ModelDirectory.weightFiles(in: path, listing.files)
    guard !weights.isEmpty else { throw ModelDirectory.noWeights(path, listing.files) }

    let isWeight = Set(weights.map { Array($0.utf8) })
    var assets: [String] = []
    var leftOut = listing.leftOut
    for file in listing.files where !isWeight.contains(Array(file.utf8)) {
      if !includingAllFiles, let format = SecondCopies.format(of: file) {
        leftOut.append((file, "a second copy of the weights (\(format)); --all-files keeps it"))
      } else {
        assets.append(file)
      }
    }
    weightFiles = weights
    self.assets = assets
    emptyDirectories = listing.emptyDirectories
    self.leftOut = leftOut
  }

  /// The path on disk of a file of the folder.
  public func path(of file: String) -> String { path + "/" + file }

  private static func noWeights(_ path: String, _ files: [String]) -> KistError {
    let others = files.filter { SecondCopies.format(of: $0) != nil }.prefix(3)
    return KistError(
      .unsupported, file: path,
      "has no safetensors weights"
        + (others.isEmpty ? "" : " (only \(others.joined(separator: ", ")), which this version does not read)"),
      advice: "a model's folder has model.safetensors, or model.safetensors.index.json and its shards")
  }
}

// MARK: - Which files are weights

extension ModelDirectory {
  private static func weightFiles(in path: String, _ files: [String]) throws(KistError) -> [String] {
    if files.contains(singleFile) { return [singleFile] }
    if files.contains(shardIndex) { return try shards(in: path) }
    // Adapters and parts of pipelines: every safetensors file in the folder itself, as long as no name repeats.
    var names: Set<[UInt8]> = []
    var weights: [String] = []
    for file in files
    where !file.contains("/") && file.hasSuffix(".safetensors") && SecondCopies.format(of: file) == nil {
      let header = try SafetensorsFile(path: path + "/" + file).header
      let own = header.tensors.map { Array($0.name.utf8) }
      guard names.isDisjoint(with: own) else { continue }
      names.formUnion(own)
      weights.append(file)
    }
    return weights
  }

  /// The shards that the index lists, after checking that they hold what it says.
  private static func shards(in path: String) throws(KistError) -> [String] {
    let indexPath = path + "/" + shardIndex
    let map = try ShardIndex(path: indexPath).shardOfTensor
    let shards = Set(map.map(\.shard)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var owners: [[UInt8]: String] = [:]
    for shard in shards {
      let parts = shard.split(separator: "/", omittingEmptySubsequences: false)
      guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
        throw KistError(.damaged, file: indexPath, field: "weight_map", "'\(shard)' is not a file in the folder")
      }
      let file: SafetensorsFile
      do throws(KistError) { file = try SafetensorsFile(path: path + "/" + shard) } catch {
        guard error.kind == .missing else { throw error }
        throw KistError(
          .missing, file: path, field: shardIndex, "lists the shard '\(shard)', which is not there",
          advice: "finish the download")
      }
      for tensor in file.header.tensors {
        if let other = owners.updateValue(shard, forKey: Array(tensor.name.utf8)) {
          throw KistError(.damaged, file: path, field: "tensor '\(tensor.name)'", "is in both \(other) and \(shard)")
        }
      }
    }
    for (tensor, shard) in map where owners[Array(tensor.utf8)] != shard {
      throw KistError(.damaged, file: indexPath, field: "weight_map", "tensor '\(tensor)' is not in \(shard)")
    }
    return shards
  }
}

/// `model.safetensors.index.json`: which shard holds which tensor.
struct ShardIndex {
  let shardOfTensor: [(tensor: String, shard: String)]

  init(path: String) throws(KistError) {
    let file = try MappedFile(path: path)
    do throws(KistError) {
      guard file.count <= SafetensorsHeader.maximumByteCount else {
        throw KistError(.damaged, "is too large for an index of shards")
      }
      guard let map = try JSONDocument(file.bytes).root["weight_map"]?.members else {
        throw KistError(.damaged, field: "weight_map", "missing, or not a JSON object")
      }
      shardOfTensor = try map.map { member throws(KistError) in
        guard let shard = member.value.string else {
          throw KistError(.damaged, field: "weight_map: '\(member.key)'", "not a file name")
        }
        return (member.key, shard)
      }
    } catch {
      throw error.inFile(path)
    }
  }
}

/// Files that repeat the safetensors weights in another format.
enum SecondCopies {
  /// Patterns of whole relative paths, as `fnmatch` takes them, and the format that they mean.
  private static let patterns: [(pattern: String, format: String)] = [
    ("pytorch_model*.bin", "PyTorch"), ("pytorch_model*.bin.index.json", "PyTorch"), ("*.pth", "PyTorch"),
    ("original/*", "the publisher's own format"), ("consolidated*.safetensors", "Mistral's own format"),
    ("tf_model*.h5", "TensorFlow"), ("model.ckpt*", "TensorFlow"), ("flax_model*.msgpack*", "Flax"),
    ("rust_model.ot", "rust-bert"), ("*.onnx", "ONNX"), ("*.onnx_data", "ONNX"), ("onnx/*", "ONNX"),
    ("openvino/*", "OpenVINO"), ("openvino_model*", "OpenVINO"), ("coreml/*", "Core ML"), ("*.mlmodel", "Core ML"),
    ("*.tflite", "TensorFlow Lite"), ("*.gguf", "GGUF"),
  ]

  static func format(of path: String) -> String? {
    patterns.first { unsafe fnmatch($0.pattern, path, 0) == 0 }?.format
  }
}
