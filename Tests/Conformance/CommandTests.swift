import Foundation
import KistCore
import KistFormat
import TestSupport
import Testing

/// Runs the command that was built with the tests.
@Suite struct CommandTests {
  private static let model = "\(repository)/Fixtures/tiny-llama"

  /// A folder with the small model as `a.kist`.
  private func folderWithModel() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let result = try kist("convert", Self.model, "-o", "a.kist", in: folder)
    try #require(result.status == 0, "\(result.errors)")
    return folder
  }

  // MARK: - convert

  @Test func `a converted folder comes back as it was`() throws {
    let folder = try folderWithModel()
    #expect(try kist("convert", "a.kist", "-o", "out", in: folder).status == 0)
    #expect(try tree(folder.file("out")) == tree(Self.model))
    #expect(try kist("diff", Self.model, "a.kist", in: folder).status == 0)
  }

  @Test func `an existing target is a conflict, unless it is to be replaced`() throws {
    let folder = try folderWithModel()
    let before = try readFile(folder.file("a.kist"))
    let result = try kist("convert", Self.model, "-o", "a.kist", "--pack", "none", in: folder)
    #expect(result.status == 2 && result.errors.contains("exists already") && result.errors.contains("--force"))
    #expect(try readFile(folder.file("a.kist")) == before)
    #expect(try kist("convert", Self.model, "-o", "a.kist", "--pack", "none", "--force", in: folder).status == 0)
    #expect(try readFile(folder.file("a.kist")) != before)
  }

  @Test func `a dry run writes nothing`() throws {
    let folder = try TemporaryFolder()
    let result = try kist("convert", Self.model, "-o", "a.kist", "--dry-run", "--json", in: folder)
    let plan = try result.json()
    #expect(result.status == 0 && folder.contents.isEmpty)
    #expect(plan["target_format"] as? String == "kist" && (plan["tensors"] as? [Any])?.isEmpty == false)
  }

  // MARK: - inspect and show

  @Test func `the summary as JSON has the members that docs/json.md names`() throws {
    let folder = try folderWithModel()
    let summary = try kist("inspect", "a.kist", "--json", in: folder).json()
    #expect(
      Set(summary.keys) == [
        "schema", "path", "format", "architecture", "model_type", "file_bytes", "tensor_count", "parameters",
        "repeated_parameters",
        "raw_bytes", "stored_bytes", "ratio", "dtypes", "groups", "tensors", "assets", "metadata", "generation",
        "weights_digest",
        "package_digest", "signatures", "left_out",
      ])
    let documentation = try String(contentsOfFile: "\(repository)/docs/json.md", encoding: .utf8)
    func check(_ value: Any) {
      if let list = value as? [Any] { list.forEach(check) }
      guard let object = value as? [String: Any] else { return }
      for (key, value) in object {
        #expect(documentation.contains("`\(key)`"), "docs/json.md does not say what \(key) is")
        check(value)
      }
    }
    let statistics = try kist("inspect", "a.kist", "--stats", "--against", Self.model, "--json", in: folder)
    check(try statistics.json())
    check(try kist("verify", "a.kist", "--json", in: folder).json())
    check(try kist("diff", "a.kist", "\(repository)/Fixtures/dtypes.safetensors", "--json", in: folder).json())
  }

  @Test func `a pattern lists tensors, and one that matches nothing is an error`() throws {
    let folder = try folderWithModel()
    let list = try kist("inspect", "a.kist", "--tensors", "*norm*", "--stats", in: folder)
    #expect(list.status == 0 && list.output.contains("model.norm.weight") && list.output.contains("std"))
    let nothing = try kist("inspect", "a.kist", "--tensors", "nope*", in: folder)
    #expect(nothing.status == 2 && nothing.output.isEmpty && nothing.errors.contains("'nope*'"))
  }

  @Test func `values are shown and extracted`() throws {
    let folder = try folderWithModel()
    let shown = try kist("show", "a.kist", "model.norm.weight", "[:2]", in: folder)
    #expect(shown.status == 0 && shown.output.hasPrefix("model.norm.weight") && shown.output.contains("["))
    let json = try kist("show", "a.kist", "model.norm.weight", "[:2]", "--json", in: folder).json()
    #expect((json["values"] as? [Double])?.count == 2 && json["shape"] as? [Int] == [2])
    #expect(try kist("show", "a.kist", "model.norm.weight", "-o", "x.npy", in: folder).status == 0)
    #expect(try readFile(folder.file("x.npy")).starts(with: [0x93] + Array("NUMPY".utf8)))
    #expect(try kist("show", "a.kist", "model.norm.weight", "-o", "x.npy", in: folder).status == 2)
    #expect(try kist("show", "a.kist", "model.norm.weight", "[99999]", in: folder).status == 2)
  }

  // MARK: - verify

  @Test(arguments: ["quick", "full"])
  func `damage is found, the tensor named, and the status is 1`(level: String) throws {
    let folder = try folderWithModel()
    #expect(try kist("verify", "a.kist", "--level", level, in: folder).status == 0)
    let file = try KistFile(path: folder.file("a.kist"))
    let tensor = try #require(file.tensors.max { $0.byteCount < $1.byteCount })
    var bytes = try readFile(file.path)
    bytes[try file.chunk(0, of: tensor).range.upperBound - 1] ^= 1
    try writeFile(bytes, folder.file("bad.kist"))
    let result = try kist("verify", "bad.kist", "--level", level, in: folder)
    #expect(result.status == 1 && result.output.contains("damaged") && result.output.contains("'\(tensor.name)'"))
    let report = try kist("verify", "bad.kist", "--level", level, "--json", in: folder)
    #expect(try report.status == 1 && report.json()["sound"] as? Bool == false)
  }

  @Test func `a file that was cut short is damaged, and one that is none can't be checked`() throws {
    let folder = try folderWithModel()
    try writeFile(Array(try readFile(folder.file("a.kist")).dropLast(100)), folder.file("cut.kist"))
    #expect(try kist("verify", "cut.kist", in: folder).status == 1)
    #expect(try kist("inspect", "cut.kist", in: folder).status == 2)
    try writeFile(Array("GGUF".utf8) + [UInt8](repeating: 0, count: 100), folder.file("other.kist"))
    #expect(try kist("verify", "other.kist", in: folder).status == 2)
    #expect(try kist("verify", Self.model).output.contains("no checksums"))
  }

  @Test func `a signature is asked for by key, and an edit drops it`() throws {
    let folder = try folderWithModel()
    #expect(try kist("keygen", "-o", "k", in: folder).status == 0)
    #expect(try kist("keygen", "-o", "k", "--force", in: folder).status == 2)
    let mode = try FileManager.default.attributesOfItem(atPath: folder.file("k"))[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try kist("verify", "a.kist", "--key", "k.pub", in: folder).status == 1)
    #expect(try kist("sign", "a.kist", "--key", "k", in: folder).status == 0)
    #expect(try kist("verify", "a.kist", "--key", "k.pub", in: folder).status == 0)
    let edit = try kist("edit", "a.kist", "set", "x=1", in: folder)
    #expect(edit.status == 0 && edit.errors.contains("signature"))
    #expect(try kist("verify", "a.kist", "--key", "k.pub", in: folder).status == 1)
  }

  // MARK: - diff, edit, compact

  @Test func `an edited copy differs, in what was edited`() throws {
    let folder = try folderWithModel()
    try writeFile(try readFile(folder.file("a.kist")), folder.file("b.kist"))
    #expect(try kist("edit", "b.kist", "set", "n:u32=5", in: folder).status == 0)
    #expect(try kist("edit", "b.kist", "put", "-", "--as", "sub/x.txt", input: "hello", in: folder).status == 0)
    let result = try kist("diff", "a.kist", "b.kist", in: folder)
    #expect(result.status == 1 && result.output.contains("n: none → 5 (u32)") && result.output.contains("sub/x.txt"))
    #expect(try kist("edit", "b.kist", "rm", "sub/x.txt", in: folder).status == 0)
    #expect(try kist("edit", "b.kist", "unset", "n", in: folder).status == 0)
    #expect(try kist("diff", "a.kist", "b.kist", in: folder).status == 0)
    #expect(try kist("compact", "b.kist", in: folder).status == 0)
    #expect(try kist("verify", "b.kist", in: folder).status == 0)
  }

  // MARK: - Statuses and streams

  @Test func `a missing file is one line on standard error and status 2, for every verb`() throws {
    let folder = try TemporaryFolder()
    let calls = [
      ["inspect", "no.kist"], ["verify", "no.kist"], ["diff", "no.kist", "no.kist"], ["show", "no.kist", "t"],
      ["compact", "no.kist"],
      ["convert", "no.kist", "-o", "x.kist"], ["edit", "no.kist", "rm", "t"], ["sign", "no.kist", "--key", "no.key"],
    ]
    for call in calls {
      let result = try KistProcess.run(call, in: folder)
      #expect(result.status == 2 && result.output.isEmpty, "\(call)")
      #expect(
        result.errors.hasPrefix("kist: no.k") && result.errors.filter { $0 == "\n" }.count == 1,
        "\(call): \(result.errors)")
    }
  }

  @Test func `with --json an error is JSON on standard error`() throws {
    let result = try kist("inspect", "no.kist", "--json")
    let object = try JSONSerialization.jsonObject(with: Data(result.errors.utf8)) as? [String: [String: Any]]
    #expect(object?["error"]?["kind"] as? String == "missing" && object?["error"]?["file"] as? String == "no.kist")
  }

  @Test(arguments: [
    ["frobnicate"], ["inspect"], ["inspect", "a", "b"], ["verify", "a.kist", "--level", "deep"],
    ["inspect", "a", "--threads", "0"],
    ["edit", "a.kist", "set"], ["edit", "a.kist", "put", "-"], ["edit", "a.kist", "rm", "x", "--as", "y"],
    ["convert", "a"],
  ])
  func `wrong usage is status 64`(arguments: [String]) throws {
    #expect(try KistProcess.run(arguments).status == 64)
  }

  @Test func `quiet says nothing but results`() throws {
    let folder = try folderWithModel()
    #expect(try kist("verify", "a.kist", "--quiet", in: folder).errors.isEmpty)
    #expect(try !kist("verify", "a.kist", in: folder).errors.isEmpty)
  }

  @Test func `help of every verb names the options that docs/cli.md has, and no other`() throws {
    let table = try String(contentsOfFile: "\(repository)/docs/cli.md", encoding: .utf8)
    let verbs = try kist("--help").output.split(separator: "SUBCOMMANDS:")[1].split(separator: "\n").compactMap {
      line in
      line.firstMatch(of: #/^  (?<verb>[a-z]+) /#).map { String($0.verb) }
    }
    let rows = table.split(separator: "\n").compactMap {
      $0.firstMatch(of: #/^\| `(?<verb>[a-z ]+)` \| `(?<arguments>[^|]*(?:\\\|[^|]*)*)` \|/#)
    }
    let documentedVerbs = rows.map { String($0.verb.prefix { $0 != " " }) }
    #expect(verbs == documentedVerbs.reduce(into: []) { if $0.last != $1 { $0.append($1) } })
    let common: Set = ["--json", "--quiet", "--threads", "--force", "--help", "--version"]
    for row in rows {
      let help = try KistProcess.run(row.verb.split(separator: " ").map(String.init) + ["--help"])
      let listed = Set(help.output.matches(of: #/(?m)^  (?:-\w, )*(?<option>--[a-z-]+)/#).map { String($0.option) })
      let documented = Set(
        row.arguments.matches(of: #/--[a-z-]+|-o\b/#).map { $0.output == "-o" ? "--output" : String($0.output) })
      #expect(help.status == 0 && listed.subtracting(common) == documented, "\(row.verb)")
      #expect(help.output.contains("EXAMPLES") && help.output.matches(of: #/\n  kist /#).count >= 2, "\(row.verb)")
    }
  }

  @Test func `an interrupted conversion leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 5)
    // A minute of work, were it not interrupted.
    let chunk = random.bf16Weights(1 << 19)
    let source = MemorySource(Array(repeatElement(chunk, count: 64).joined()))
    try writeSample(
      folder.file("a.kist"), packing: .none, entries: [.tensor("t", dtype: .bf16, shape: [64 << 19], source: source)])
    let process = Process()
    process.executableURL = KistProcess.products.appendingPathComponent("kist")
    process.arguments = ["convert", folder.file("a.kist"), "-o", folder.file("b.kist"), "--pack", "max", "--quiet"]
    process.standardError = FileHandle.nullDevice
    try process.run()
    Thread.sleep(forTimeInterval: 0.3)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(folder.contents == ["a.kist"])
  }
}
