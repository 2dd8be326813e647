import Foundation
import KistCore

/// A model's folder as on the Hugging Face hub: which files are weights, which travel beside them, which stay behind.
public struct ModelDirectory: Sendable {
  /// The path as it was given.
  public let path: String
  /// What the weight files are.
  public let weightFormat: WeightFormat
  /// Files that hold the model's tensors, relative to the folder, in the order of their names.
  public let weightFiles: [String]
  /// All other files that are kept, relative to the folder, sorted by their bytes.
  public let assets: [String]
  /// Folders with nothing in them.
  public let emptyDirectories: [String]
  /// Files that are not kept, each with the reason.
  public let leftOut: [(path: String, reason: String)]

  /// A format that weights in a folder may have.
  public enum WeightFormat: Sendable {
    case safetensors
    /// Read where there are no safetensors.
    case pytorch
  }

  static let singleFile = "model.safetensors"
  static let shardIndex = "model.safetensors.index.json"

  /// Lists a folder and its subfolders, following symbolic links, and sorts out what is what.
  ///
  /// - Parameter includingAllFiles: Keeps also second copies of the weights in other formats.
  /// - Throws: `missing` when a shard is not there; `unsupported` when there are no weights that are read, or a name is not UTF-8;
  ///   `damaged` when the shard index contradicts the shards.
  public init(path: String, includingAllFiles: Bool = false) throws(KistError) {
    self.path = path
    let listing = try DirectoryListing(path)
    var weights = try ModelDirectory.weightFiles(in: path, listing.files)
    weightFormat = weights.isEmpty ? .pytorch : .safetensors
    if weights.isEmpty { weights = try ModelDirectory.pytorchFiles(in: path, listing.files) }
    guard !weights.isEmpty else { throw ModelDirectory.noWeights(path, listing.files) }

    let isWeight = Set(weights.map { Array($0.utf8) })
    var assets: [String] = []
    var leftOut = listing.leftOut
    for file in listing.files where !isWeight.contains(Array(file.utf8)) {
      if weightFormat == .pytorch, file == ModelDirectory.pytorchIndex {
        // It would name files that what is made of the folder does not have.
        leftOut.append((file, "says which shard has which tensor; the tensors are kept"))
      } else if !includingAllFiles, let format = SecondCopies.format(of: file) {
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
    let others = files.filter(OtherFormats.hold).prefix(3)
    return KistError(
      .unsupported, file: path,
      "has no weights as safetensors or pytorch_model.bin"
        + (others.isEmpty ? "" : " (only \(others.joined(separator: ", ")), which this version does not read)"),
      advice: others.isEmpty
        ? "a model's folder has model.safetensors, or model.safetensors.index.json and its shards"
        : "convert them to safetensors first")
  }
}

// MARK: - Which files are weights

extension ModelDirectory {
  private static func weightFiles(in path: String, _ files: [String]) throws(KistError) -> [String] {
    if files.contains(singleFile) { return [singleFile] }
    if files.contains(shardIndex) { return try shards(in: path) }
    // Adapters, parts of pipelines; and models that are published in Mistral's form alone.
    let candidates = files.filter { !$0.contains("/") && $0.hasSuffix(".safetensors") }
    let usual = candidates.filter { SecondCopies.format(of: $0) == nil }
    return try withoutRepeats(usual.isEmpty ? candidates : usual, in: path)
  }

  /// Those of some weight files that repeat no tensor name of one before them.
  private static func withoutRepeats(_ files: [String], in path: String) throws(KistError) -> [String] {
    var names: Set<NameBytes> = []
    var kept: [String] = []
    for file in files {
      let own = try SafetensorsFile(path: path + "/" + file).header.tensors.map { NameBytes($0.name) }
      guard names.isDisjoint(with: own) else { continue }
      names.formUnion(own)
      kept.append(file)
    }
    return kept
  }

  /// The shards that the index lists, after checking that they hold what it says.
  private static func shards(in path: String) throws(KistError) -> [String] {
    try shards(in: path, index: shardIndex) { file throws(KistError) in
      try SafetensorsFile(path: file).header.tensors.map(\.name)
    }
  }

  /// - Parameter names: Reads the names of the tensors of a shard.
  static func shards(
    in path: String, index: String, names: (String) throws(KistError) -> [String]
  ) throws(KistError) -> [String] {
    let indexPath = path + "/" + index
    let map = try ShardIndex(path: indexPath).shardOfTensor
    let shards = Set(map.map(\.shard)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var owners: [NameBytes: String] = [:]
    for shard in shards {
      let parts = shard.split(separator: "/", omittingEmptySubsequences: false)
      guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
        throw KistError(.damaged, file: indexPath, field: "weight_map", "'\(shard)' is not a file in the folder")
      }
      let tensors: [String]
      do throws(KistError) { tensors = try names(path + "/" + shard) } catch {
        guard error.kind == .missing else { throw error }
        throw KistError(
          .missing, file: path, field: index, "lists the shard '\(shard)', which is not there",
          advice: "finish the download")
      }
      for tensor in tensors {
        if let other = owners.updateValue(shard, forKey: NameBytes(tensor)) {
          throw KistError(.damaged, file: path, field: "tensor '\(tensor)'", "is in both \(other) and \(shard)")
        }
      }
    }
    for (tensor, shard) in map where owners[NameBytes(tensor)] != shard {
      throw KistError(.damaged, file: indexPath, field: "weight_map", "tensor '\(tensor)' is not in \(shard)")
    }
    return shards
  }
}
