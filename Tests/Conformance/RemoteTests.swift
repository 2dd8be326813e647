import Foundation
import KistCore
import KistFormat
import TestSupport
import Testing

/// Files that are read from a server, a range at a time.
@Suite struct RemoteTests {
  static let hasNginx = TestServer.nginxPath != nil
  static let hasPython = TestServer.pythonPath != nil

  /// Files of many kinds in one folder: a container of some MB, with probes.
  private func folderOfFiles() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let fixtures = "\(repository)/Fixtures"
    try kist("convert", "\(fixtures)/tiny-llama", "-o", "model.kist", "--quiet", in: folder)
    try kist("convert", "\(fixtures)/tiny-llama", "-o", "set.kist", "--shard-size", "300kB", "--quiet", in: folder)
    try writeSample(folder.file("large.kist"), packing: .none, entries: Self.largeEntries)
    let copies = [
      "tiny-llama/model.safetensors": "model.safetensors", "pytorch/one.pt": "model.pt",
      "gguf/\(Self.gguf)": "model.gguf", "tiny-llama/tokenizer.json": "tokenizer.json",
    ]
    for (source, target) in copies {
      try FileManager.default.copyItem(atPath: "\(fixtures)/\(source)", toPath: folder.file(target))
    }
    return folder
  }

  private static let gguf = "types.gguf"

  private static let largeEntries: [NewEntry] = {
    var random = SeededGenerator(seed: 9)
    let block = random.bytes(1 << 20)
    var entries: [NewEntry] = []
    for number in 0..<6 {
      // Not alike: equal ones would be stored once.
      let content = [UInt8(number)] + block.dropFirst()
      entries.append(
        .tensor("layers.\(number).weight", dtype: .u8, shape: [1 << 20], source: MemorySource(content)))
    }
    return entries + [.asset("config.json", source: MemorySource(Array(#"{"model_type": "test"}"#.utf8)))]
  }()

  private func summary(_ path: String, in folder: TemporaryFolder) throws -> NSDictionary {
    let process = try kist("inspect", path, "--json", in: folder)
    #expect(process.status == 0, "\(process.errors)")
    var json = try process.json()
    json["path"] = nil
    return json as NSDictionary
  }

  @Test(
    .enabled(if: hasNginx, "nginx is not here: apt-get install nginx-light"),
    arguments: ["model.kist", "large.kist", "model.safetensors", "model.gguf"])
  func `inspect says of a file on a server what it says of the file`(name: String) throws {
    let folder = try folderOfFiles()
    let server = try TestServer.nginx(folder)
    #expect(try summary(server.address(name), in: folder) == summary(name, in: folder))
    let requests = try server.requests()
    #expect(requests.count <= 4 && requests.allSatisfy { $0.status == 206 }, "\(requests)")
    #expect(Set(requests.map(\.connection)).count == 1, "one connection is used again")
    if name == "large.kist" { #expect(requests.reduce(0) { $0 + $1.byteCount } < 300_000, "\(requests)") }
  }

  @Test(.enabled(if: hasNginx, "nginx is not here: apt-get install nginx-light"))
  func `tensors that are asked for come over, and no others`() throws {
    let folder = try folderOfFiles()
    let server = try TestServer.nginx(folder)
    let pattern = "layers.[24].*"
    let remote = try kist(
      "convert", server.address("large.kist"), "-o", "remote.safetensors", "--tensors", pattern, in: folder)
    #expect(remote.status == 0, "\(remote.errors)")
    let byteCount = try server.requests().reduce(0) { $0 + $1.byteCount }
    #expect(byteCount > 2 << 20 && byteCount < 3 << 20)
    try kist("convert", "large.kist", "-o", "local.safetensors", "--tensors", pattern, in: folder)
    #expect(try readFile(folder.file("remote.safetensors")) == readFile(folder.file("local.safetensors")))
  }

  @Test(.enabled(if: hasNginx, "nginx is not here: apt-get install nginx-light"))
  func `every verb that reads takes an address, and follows redirects`() throws {
    let folder = try folderOfFiles()
    let server = try TestServer.nginx(folder)
    func same(_ arguments: (String) -> [String], _ name: String, sourceLocation: SourceLocation = #_sourceLocation)
      throws
    {
      let remote = try KistProcess.run(arguments(server.address(name)), in: folder)
      let local = try KistProcess.run(arguments(name), in: folder)
      #expect(remote.status == local.status, "\(remote.errors)", sourceLocation: sourceLocation)
      #expect(remote.output == local.output, sourceLocation: sourceLocation)
    }
    try same({ ["show", $0, "model.norm.weight", "[:4]"] }, "model.kist")
    try same({ ["show", $0, "model.norm.weight", "[:4]"] }, "model.safetensors")
    try same({ ["predict", $0, "once", "-k", "3"] }, "model.kist")
    try same({ ["tokenizer", "encode", $0, "Hello world"] }, "model.kist")
    try same({ ["tokenizer", "encode", $0, "Hello world"] }, "tokenizer.json")
    #expect(try kist("verify", server.address("model.kist"), in: folder).status == 0)
    let shard = try #require(folder.contents.first { $0.hasPrefix("set-00002") })
    #expect(try kist("verify", server.address(shard), in: folder).status == 0)
    #expect(try kist("diff", server.address("moved/model.kist"), "model.kist", in: folder).status == 0)
    let missing = try kist("inspect", server.address("no.kist"), in: folder)
    #expect(missing.status == 2 && missing.errors.contains("no such file (HTTP 404)"))
    let pytorch = try kist("inspect", server.address("model.pt"), in: folder)
    #expect(pytorch.status == 0, "small enough to be fetched whole")
  }

  @Test(
    .enabled(if: hasPython, "python3 is not here"),
    arguments: [
      ("whole", "it has no range requests"), ("cut", "4 times in a row"),
      ("long", "more bytes than it was asked for"), ("other-range", "where 0 to 65535 were asked for"),
      ("no-range-header", "does not say which bytes"), ("short-total", ""), ("long-total", ""),
      ("changes", "changed while it was being read"), ("gzip", "packs what it sends"),
      ("circle", "redirects more than 5 times"), ("empty-redirect", "redirects and does not say where to"),
      ("missing", "no such file (HTTP 404)"), ("forbidden", "does not allow it (HTTP 403)"),
    ])
  func `a server that misbehaves gives one clear error and no file`(mode: String, words: String) throws {
    let folder = try folderOfFiles()
    let server = try TestServer.python(folder)
    let process = try kist(
      "convert", server.address("\(mode)/large.kist"), "-o", "out.safetensors", "--quiet", in: folder)
    #expect(process.status == 2, "\(process.errors)")
    #expect(
      process.errors.split(separator: "\n").count == 1 && (words.isEmpty || process.errors.contains(words)),
      "\(process.errors)")
    #expect(process.errors.contains(server.address("\(mode)/large.kist")), "\(process.errors)")
    #expect(!folder.contents.contains("out.safetensors"))
  }

  @Test(.enabled(if: hasPython, "python3 is not here"), arguments: ["plain", "cut-once", "busy", "hop"])
  func `what a second try can mend is mended`(mode: String) throws {
    let folder = try folderOfFiles()
    let server = try TestServer.python(folder)
    let process = try kist(
      "convert", server.address("\(mode)/large.kist"), "-o", "out.safetensors", "--quiet", in: folder)
    #expect(process.status == 0, "\(process.errors)")
    try kist("convert", "large.kist", "-o", "local.safetensors", "--quiet", in: folder)
    #expect(try readFile(folder.file("out.safetensors")) == readFile(folder.file("local.safetensors")))
  }

  @Test(.enabled(if: hasPython, "python3 is not here"))
  func `other bytes than the file's are found where they are`() throws {
    let folder = try folderOfFiles()
    let server = try TestServer.python(folder)
    let process = try kist(
      "convert", server.address("flip/large.kist"), "-o", "out.safetensors", "--quiet", in: folder)
    #expect(process.status == 2 && process.errors.contains("checksum"), "\(process.errors)")
    #expect(!folder.contents.contains("out.safetensors"))
  }

  @Test func `a server that is not there is said to be so`() throws {
    let folder = try TemporaryFolder()
    let process = try kist("inspect", "http://127.0.0.1:1/model.kist", in: folder)
    #expect(process.status == 2 && process.errors.contains("can't be reached"), "\(process.errors)")
    for address in ["http://", "https:///x.kist"] {
      #expect(try kist("inspect", address, in: folder).errors.contains("no address on the web"))
    }
  }
}
