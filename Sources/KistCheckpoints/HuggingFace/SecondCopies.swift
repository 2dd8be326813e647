import Foundation
import KistCore

/// Files that repeat the safetensors weights in another format.
enum SecondCopies {
  /// Patterns of whole relative paths, and the format that they mean; the first that fits counts.
  private static let patterns: [(pattern: String, format: String)] = [
    ("original/*.pth", "the publisher's own format"), ("consolidated*.pth", "the publisher's own format"),
    ("consolidated*.safetensors", "Mistral's own format"),
    ("consolidated*.safetensors.index.json", "Mistral's own format"),
    ("pytorch_model*.bin", "PyTorch"), ("pytorch_model*.bin.index.json", "PyTorch"),
    ("tf_model*.h5", "TensorFlow"), ("model.ckpt*", "TensorFlow"), ("flax_model*.msgpack*", "Flax"),
    ("rust_model.ot", "rust-bert"), ("*.onnx", "ONNX"), ("*.onnx_data", "ONNX"), ("onnx/*", "ONNX"),
    ("openvino/*", "OpenVINO"), ("openvino_model*", "OpenVINO"), ("coreml/*", "Core ML"), ("*.mlmodel", "Core ML"),
    ("*.tflite", "TensorFlow Lite"), ("*.gguf", "GGUF"),
  ]

  static func format(of path: String) -> String? { patterns.first { matches($0.pattern, path) }?.format }
}

/// Files to name to a person whose folder has no weights that are read.
enum OtherFormats {
  private static let patterns = ["*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.npz", "*.nemo"]

  static func hold(_ path: String) -> Bool {
    SecondCopies.format(of: path) != nil || patterns.contains { matches($0, path) }
  }
}

/// Whether a path fits a pattern whose `*` stands for anything, slashes too.
private func matches(_ pattern: String, _ path: String) -> Bool { unsafe fnmatch(pattern, path, 0) == 0 }
