import KistCore

extension ModelDirectory {
  static let pytorchIndex = "pytorch_model.bin.index.json"

  /// Names that PyTorch weights of a whole model or adapter have; in a folder there are pickles of much else.
  private static let pytorchNames = ["pytorch_model.bin", "diffusion_pytorch_model.bin", "adapter_model.bin"]

  /// The PyTorch files that hold the model's tensors; none when there are none.
  static func pytorchFiles(in path: String, _ files: [String]) throws(KistError) -> [String] {
    if let single = pytorchNames.first(where: files.contains) { return [single] }
    guard files.contains(pytorchIndex) else { return [] }
    return try shards(in: path, index: pytorchIndex) { file throws(KistError) in
      try PyTorchFile(path: file).tensors.map(\.name)
    }
  }
}
