import Foundation
import KistCheckpoints
import KistCore
import TestSupport
import Testing

@Suite struct ModelDirectoryTests {
  /// A folder with these files: weights of the tensors named, or any text.
  private struct Model {
    let folder: TemporaryFolder
    var path: String { folder.path }

    init(_ weights: [String: [String]] = [:], files: [String] = [], texts: [String: String] = [:]) throws {
      folder = try TemporaryFolder()
      for (name, tensors) in weights { try write(safetensors(tensors: tensors), name) }
      for name in files { try write(Array(name.utf8), name) }
      for (name, text) in texts { try write(Array(text.utf8), name) }
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
      try FileManager.default.createDirectory(
        atPath: parentFolder(of: folder.file(name)), withIntermediateDirectories: true)
      try writeFile(bytes, folder.file(name))
    }

    func makeFolder(_ name: String) throws {
      try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
      try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
    }

    func sorted(includingAllFiles: Bool = false) throws -> ModelDirectory {
      try ModelDirectory(path: path, includingAllFiles: includingAllFiles)
    }
  }

  private static func index(_ map: [(String, String)]) -> [String: String] {
    [
      "model.safetensors.index.json": #"{"metadata": {}, "weight_map": {"#
        + map.map { #""\#($0)": "\#($1)""# }.joined(separator: ",") + "}}"
    ]
  }

  private func refuses(
    _ model: Model, _ kind: KistError.Kind, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(sourceLocation: sourceLocation) {
      try model.sorted()
    } throws: { error in
      (error as? KistError)?.kind == kind && words.allSatisfy("\(error)".contains)
        && "\(error)".hasPrefix(model.path)
    }
  }

  // MARK: - Weights

  @Test func `a single file of weights and what stands beside it`() throws {
    let model = try Model(
      ["model.safetensors": ["a"], "other.safetensors": ["b"]], files: ["config.json", "tokenizer.json", "sub/x/y.txt"])
    let found = try model.sorted()
    #expect(found.weightFiles == ["model.safetensors"])
    #expect(found.assets == ["config.json", "other.safetensors", "sub/x/y.txt", "tokenizer.json"])
    #expect(found.leftOut.isEmpty)
    #expect(found.path(of: "config.json") == model.path + "/config.json")
  }

  @Test func `shards are those that the index lists`() throws {
    let model = try Model(
      ["model-00001-of-00002.safetensors": ["a", "b"], "model-00002-of-00002.safetensors": ["c"]],
      files: ["config.json"],
      texts: Self.index([
        ("c", "model-00002-of-00002.safetensors"), ("a", "model-00001-of-00002.safetensors"),
        ("b", "model-00001-of-00002.safetensors"),
      ]))
    let found = try model.sorted()
    #expect(found.weightFiles == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    #expect(found.assets == ["config.json", "model.safetensors.index.json"])
  }

  @Test func `a shard that is missing is named`() throws {
    let model = try Model(
      ["1.safetensors": ["a"]], texts: Self.index([("a", "1.safetensors"), ("b", "2.safetensors")]))
    refuses(model, .missing, "2.safetensors", "model.safetensors.index.json")
  }

  @Test func `a tensor in two shards is named, with both`() throws {
    let model = try Model(
      ["1.safetensors": ["a", "twice"], "2.safetensors": ["b", "twice"]],
      texts: Self.index([("a", "1.safetensors"), ("b", "2.safetensors"), ("twice", "2.safetensors")]))
    refuses(model, .damaged, "'twice'", "1.safetensors", "2.safetensors")
  }

  @Test func `an index that names a tensor that is not there is refused`() throws {
    refuses(
      try Model(["1.safetensors": ["a"]], texts: Self.index([("a", "1.safetensors"), ("lost", "1.safetensors")])),
      .damaged, "'lost'", "1.safetensors")
  }

  @Test func `an index that names the wrong shard of a tensor is refused`() throws {
    refuses(
      try Model(
        ["1.safetensors": ["a"], "2.safetensors": ["b"]],
        texts: Self.index([("a", "2.safetensors"), ("b", "2.safetensors"), ("a", "1.safetensors")])),
      .damaged, "'a'", "2.safetensors")
  }

  @Test(arguments: ["../x.safetensors", "/etc/passwd", "a/../../x", "", ".", "a//b", "./x"])
  func `an index does not lead out of the folder`(shard: String) throws {
    refuses(
      try Model(["1.safetensors": ["a"]], texts: Self.index([("a", shard)])), .damaged, "weight_map", "'\(shard)'")
  }

  @Test(arguments: ["", "{", "[]", "{}", #"{"weight_map": []}"#, #"{"weight_map": {}}"#, #"{"weight_map": {"a": 1}}"#])
  func `an index of another form is refused`(text: String) throws {
    refuses(
      try Model(["1.safetensors": ["a"]], texts: ["model.safetensors.index.json": text]), .damaged,
      "model.safetensors.index.json")
  }

  @Test func `a shard that is no safetensors file is refused, naming it`() throws {
    refuses(
      try Model(texts: Self.index([("a", "1.safetensors")]).merging(["1.safetensors": "no"]) { $1 }), .damaged,
      "1.safetensors")
  }

  @Test func `an adapter's weights stand alone`() throws {
    let found = try Model(["adapter_model.safetensors": ["a"]], files: ["adapter_config.json"]).sorted()
    #expect(found.weightFiles == ["adapter_model.safetensors"])
    #expect(found.assets == ["adapter_config.json"])
  }

  @Test func `of other files of weights, those that repeat a name are kept as they are`() throws {
    let found = try Model(["a.safetensors": ["x", "y"], "b.safetensors": ["z"], "c.safetensors": ["y"]]).sorted()
    #expect(found.weightFiles == ["a.safetensors", "b.safetensors"])
    #expect(found.assets == ["c.safetensors"])
  }

  @Test func `weights in Mistral's own form are weights where there are no others`() throws {
    let found = try Model(["consolidated.safetensors": ["a"]], files: ["params.json", "consolidated.00.pth"]).sorted()
    #expect(found.weightFiles == ["consolidated.safetensors"])
    #expect(found.assets == ["params.json"])
    #expect(found.leftOut.map(\.path) == ["consolidated.00.pth"])
  }

  @Test func `a folder without weights is refused, naming what is there`() throws {
    refuses(try Model(files: ["tf_model.h5", "config.json"]), .unsupported, "tf_model.h5", "convert")
    refuses(try Model(files: ["weights.pt", "config.json"]), .unsupported, "weights.pt")
    refuses(try Model(files: ["model.gguf"]), .unsupported, "model.gguf")
    refuses(try Model(files: ["config.json"]), .unsupported, "no weights")
    refuses(try Model(["sub/model.safetensors": ["a"]]), .unsupported, "no weights")
  }

  // MARK: - PyTorch

  @Test(arguments: ["pytorch_model.bin", "adapter_model.bin", "diffusion_pytorch_model.bin"])
  func `where there are no safetensors, PyTorch's file has the weights`(name: String) throws {
    let found = try Model(files: [name, "config.json", "training_args.bin", "tf_model.h5"]).sorted()
    #expect(found.weightFormat == .pytorch && found.weightFiles == [name])
    #expect(found.assets == ["config.json", "training_args.bin"])
    #expect(found.leftOut.map(\.path) == ["tf_model.h5"])
    let both = try Model(["model.safetensors": ["a"]], files: [name, "config.json"]).sorted()
    #expect(both.weightFormat == .safetensors && both.weightFiles == ["model.safetensors"])
  }

  @Test func `PyTorch's shards are those that the index lists, and the index stays behind`() throws {
    let found = try ModelDirectory(path: repository + "/Fixtures/tiny-llama-bin")
    #expect(found.weightFormat == .pytorch)
    #expect(found.weightFiles == (1...3).map { "pytorch_model-0000\($0)-of-00003.bin" })
    #expect(found.assets == ["config.json", "generation_config.json"])
    #expect(found.leftOut.map(\.path) == ["pytorch_model.bin.index.json"])
  }

  @Test func `a PyTorch shard that is missing, or does not hold what the index says, is named`() throws {
    let folder = repository + "/Fixtures/tiny-llama-bin/"
    func model(_ change: (String) -> String) throws -> Model {
      let index = String(decoding: try readFile(folder + "pytorch_model.bin.index.json"), as: UTF8.self)
      let model = try Model(texts: ["pytorch_model.bin.index.json": change(index)])
      for number in 1...2 {
        let name = "pytorch_model-0000\(number)-of-00003.bin"
        try model.write(try readFile(folder + name), name)
      }
      return model
    }
    refuses(try model { $0 }, .missing, "pytorch_model-00003-of-00003.bin", "pytorch_model.bin.index.json")
    refuses(
      try model { $0.replacing("00003-of", with: "00002-of") }, .damaged, "weight_map",
      "pytorch_model-00002-of-00003.bin")
  }

  @Test func `a folder that is not there is missing`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: KistError(.missing, file: folder.file("x"), "no such file or directory")) {
      try ModelDirectory(path: folder.file("x"))
    }
  }

  // MARK: - Second copies

  private static let copies = [
    ("pytorch_model.bin", "PyTorch"), ("pytorch_model-00001-of-00002.bin", "PyTorch"),
    ("pytorch_model.bin.index.json", "PyTorch"), ("tf_model.h5", "TensorFlow"), ("model.ckpt.index", "TensorFlow"),
    ("flax_model.msgpack", "Flax"), ("rust_model.ot", "rust-bert"), ("onnx/model.onnx", "ONNX"),
    ("onnx/config.json", "ONNX"), ("sub/model_q4.onnx", "ONNX"), ("model.onnx_data", "ONNX"),
    ("openvino/openvino_model.bin", "OpenVINO"), ("coreml/model.mlpackage/Manifest.json", "Core ML"),
    ("consolidated.safetensors", "Mistral"), ("consolidated.safetensors.index.json", "Mistral"),
    ("original/consolidated.00.pth", "publisher"), ("consolidated.01.pth", "publisher"), ("model-Q4.gguf", "GGUF"),
  ]

  @Test func `second copies of the weights are left out, with the reason`() throws {
    let model = try Model(["model.safetensors": ["a"]], files: Self.copies.map(\.0) + ["config.json"])
    let found = try model.sorted()
    #expect(found.assets == ["config.json"])
    #expect(Set(found.leftOut.map(\.path)) == Set(Self.copies.map(\.0)))
    for (file, format) in Self.copies {
      let reason = found.leftOut.first { $0.path == file }?.reason
      #expect(reason?.contains(format) == true && reason?.contains("--all-files") == true, "\(file): \(reason ?? "")")
    }
  }

  @Test func `second copies are kept when all files are wanted`() throws {
    let model = try Model(["model.safetensors": ["a"]], files: Self.copies.map(\.0))
    let found = try model.sorted(includingAllFiles: true)
    #expect(Set(found.assets) == Set(Self.copies.map(\.0)))
    #expect(found.leftOut.isEmpty)
  }

  @Test func `files that only resemble second copies are kept`() throws {
    let names = [
      "training_args.bin", "onnx.md", "my_original/x", "gguf.txt", "spiece.model", "vocab.h5", "rng_state.pth",
      "original/params.json", "original/tokenizer.model",
    ].sorted()
    #expect(try Model(["model.safetensors": ["a"]], files: names).sorted().assets == names)
  }

  // MARK: - The folder

  @Test func `what tools leave behind is not looked at`() throws {
    let found = try Model(
      ["model.safetensors": ["a"]],
      files: [
        ".git/config", ".cache/huggingface/x", "sub/.git/config", "__pycache__/x.pyc", ".DS_Store", ".gitattributes",
      ]
    ).sorted()
    #expect(found.assets == [".gitattributes"])
    #expect(found.leftOut.isEmpty)
  }

  @Test func `empty folders are listed`() throws {
    let model = try Model(["model.safetensors": ["a"]], files: ["full/x"])
    for name in ["empty", "sub/deep/empty"] { try model.makeFolder(name) }
    let found = try model.sorted()
    #expect(found.emptyDirectories == ["empty", "sub/deep/empty"])
    #expect(found.assets == ["full/x"])
  }

  @Test func `links to files and folders are followed, as in the hub's cache`() throws {
    let blobs = try Model(["w": ["a"]], files: ["c", "folder/x"])
    let model = try Model()
    try model.link("model.safetensors", to: blobs.path + "/w")
    try model.link("config.json", to: blobs.path + "/c")
    try model.link("sub", to: blobs.path + "/folder")
    let found = try model.sorted()
    #expect(found.weightFiles == ["model.safetensors"])
    #expect(found.assets == ["config.json", "sub/x"])
  }

  @Test func `a folder that contains itself by a link is refused`() throws {
    let model = try Model(["model.safetensors": ["a"]], files: ["sub/x"])
    try model.link("sub/loop", to: "..")
    refuses(model, .invalid, "contains itself")
    let other = try Model(["model.safetensors": ["a"]])
    try other.link("loop", to: "loop")
    refuses(other, .system, "loop")
  }

  @Test func `a folder that is too deep is refused`() throws {
    let model = try Model(["model.safetensors": ["a"]])
    try model.makeFolder((0..<40).map { "\($0)" }.joined(separator: "/"))
    refuses(model, .invalid, "folders deep")
  }

  @Test(arguments: [true, false])
  func `links that make a few folders into millions are refused`(hasFiles: Bool) throws {
    let model = try Model(["model.safetensors": ["a"]])
    try model.makeFolder("0")
    if hasFiles { try model.write([1], "0/x") }
    for level in 1...20 {
      try model.makeFolder("\(level)")
      for link in ["a", "b"] { try model.link("\(level)/\(link)", to: "../\(level - 1)") }
    }
    refuses(model, .invalid, "more than 100000 files")
  }

  @Test func `a folder that is there twice by a link is read twice`() throws {
    let model = try Model(["model.safetensors": ["a"]], files: ["sub/x"])
    try model.link("again", to: "sub")
    #expect(try model.sorted().assets == ["again/x", "sub/x"])
  }

  @Test func `a link to nothing is named`() throws {
    let model = try Model(["model.safetensors": ["a"]])
    try model.link("config.json", to: "nowhere")
    refuses(model, .missing, "config.json")
  }

  @Test func `a name that is not UTF-8 is refused`() throws {
    let model = try Model(["model.safetensors": ["a"]])
    let name = (Array(model.path.utf8) + [0x2F, 0x61, 0xFF, 0]).map { CChar(bitPattern: $0) }
    let descriptor = unsafe open(name, O_CREAT | O_WRONLY, 0o644)
    try #require(descriptor >= 0)
    close(descriptor)
    refuses(model, .unsupported, "not UTF-8")
  }

  @Test func `what is not a regular file is left out`() throws {
    let model = try Model(["model.safetensors": ["a"]])
    try #require(unsafe mkfifo(model.folder.file("pipe"), 0o644) == 0)
    let found = try model.sorted()
    #expect(found.assets == [])
    #expect(found.leftOut.map(\.path) == ["pipe"])
    #expect(found.leftOut.first?.reason == "not a regular file")
  }

  @Test func `files come in the order of their bytes`() throws {
    let names = ["a.txt", "a/b", "B", "e\u{301}", "z", "\u{e9}", "🦙"]
    let found = try Model(["model.safetensors": ["a"]], files: names).sorted()
    #expect(
      found.assets.map { Array($0.utf8) } == names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
  }

  @Test func `the fixtures are folders as on the hub`() throws {
    let single = try ModelDirectory(path: repository + "/Fixtures/tiny-llama")
    #expect(single.weightFiles == ["model.safetensors"])
    let sharded = try ModelDirectory(path: repository + "/Fixtures/tiny-llama-sharded")
    #expect(sharded.weightFiles.count == 3)
  }
}
