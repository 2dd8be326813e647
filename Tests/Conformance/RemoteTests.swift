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
    let byteCount = try readFile(folder.file("model.kist")).count
    for arguments in [
      ["verify", "model.kist"], ["predict", "model.kist", "once"], ["inspect", "model.kist", "--html", "r.html"],
    ] {
      let before = try server.requests().count
      let process = try KistProcess.run(
        [arguments[0], server.address(arguments[1])] + arguments.dropFirst(2), in: folder)
      #expect(process.status == 0, "\(process.errors)")
      let fetched = try server.requests().dropFirst(before).reduce(0) { $0 + $1.byteCount }
      #expect(fetched <= byteCount, "nothing comes over twice for \(arguments)")
    }
    #expect(try String(contentsOfFile: folder.file("r.html"), encoding: .utf8).contains("The file is on a server"))
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

  @Test(.enabled(if: hasPython, "python3 is not here"))
  func `what will be read is fetched by several requests at a time`() throws {
    let folder = try folderOfFiles()
    let server = try TestServer.python(folder)
    let entries: [NewEntry] = (0..<40).map { number in
      .tensor(
        "w.\(number)", dtype: .u8, shape: [1 << 20], source: MemorySource([UInt8](repeating: number, count: 1 << 20)))
    }
    try writeSample(folder.file("long.kist"), packing: .none, entries: entries)
    let remote = try kist("convert", server.address("slow/long.kist"), "-o", "out.safetensors", "--quiet", in: folder)
    #expect(remote.status == 0, "\(remote.errors)")
    try kist("convert", "long.kist", "-o", "local.safetensors", "--quiet", in: folder)
    #expect(try readFile(folder.file("out.safetensors")) == readFile(folder.file("local.safetensors")))
    let together = try server.notes("together").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    #expect(together.contains { $0 > 1 } && together.allSatisfy { $0 <= 6 }, "\(together)")
    // Nothing comes twice, and no chunk by a request of its own.
    let requests = try server.requests()
    #expect(requests.count < 20 && requests.reduce(0) { $0 + $1.byteCount } < 41 << 20, "\(requests)")
  }

  /// A server's notes of who showed what, for a command that reads a file in a mode.
  private func authorized(_ mode: String, _ netrc: String, in folder: TemporaryFolder) throws -> (
    process: KistProcess, notes: [String], host: String
  ) {
    try netrc.write(toFile: folder.file("netrc"), atomically: true, encoding: .utf8)
    let server = try TestServer.python(folder)
    let process = try KistProcess.run(
      ["inspect", server.address("\(mode)/large.kist")], in: folder,
      environment: ["NETRC": folder.file("netrc"), "HF_TOKEN": "hf_secret"])
    return (process, try server.notes("authorized"), "\(server.port)")
  }

  // "me:secret word"
  private static let basic = "Basic bWU6c2VjcmV0IHdvcmQ="

  @Test(.enabled(if: hasPython, "python3 is not here"))
  func `a login of netrc opens the server that it is for, and goes nowhere else`() throws {
    let folder = try folderOfFiles()
    let own = "machine other.example login x password y\nmachine 127.0.0.1 login me password \"secret word\"\n"
    let opened = try authorized("login", own, in: folder)
    #expect(opened.process.status == 0, "\(opened.process.errors)")
    #expect(
      !opened.notes.isEmpty
        && opened.notes.allSatisfy { $0.hasPrefix("authorized 127.0.0.1 /login/") && $0.hasSuffix(Self.basic) })

    let refused = try authorized("login", "machine other.example login me password secret", in: folder)
    #expect(refused.process.status == 2 && refused.notes.isEmpty)
    #expect(
      refused.process.errors.contains("does not allow it (HTTP 401); if it asks for a login, put it into ~/.netrc"))
    #expect(!refused.process.errors.contains("secret"))

    // The server sends us to another host.
    let away = try authorized("away", own, in: folder)
    #expect(away.process.status == 0, "\(away.process.errors)")
    #expect(
      !away.notes.isEmpty && away.notes.allSatisfy { $0.hasPrefix("authorized 127.0.0.1 /away/") }, "\(away.notes)")
    let there = try authorized("away-login", "machine localhost login me password \"secret word\"", in: folder)
    #expect(there.process.status == 0, "\(there.process.errors)")
    #expect(
      !there.notes.isEmpty && there.notes.allSatisfy { $0.hasPrefix("authorized localhost /login/") }, "\(there.notes)")
    let closed = try authorized("away-login", own, in: folder)
    #expect(closed.process.status == 2 && closed.process.errors.contains("HTTP 401"), "\(closed.process.errors)")
    #expect(closed.notes.allSatisfy { $0.hasPrefix("authorized 127.0.0.1 /away-login/") }, "\(closed.notes)")
  }

  @Test func `a login in an address is refused without being repeated`() throws {
    let folder = try TemporaryFolder()
    let process = try kist("inspect", "https://me:secret@host.example/model.kist", in: folder)
    #expect(process.status == 2 && process.errors.contains("host.example: a login does not belong in an address"))
    #expect(!process.errors.contains("secret") && !process.output.contains("secret"))
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
