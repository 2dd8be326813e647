import Foundation
import TestSupport
import Testing

/// `kist verify --with`, with stand-ins for the Python that runs the other program; Tests/Peers has the programs themselves.
@Suite struct ExternalJudgeTests {
  private static let model = "\(repository)/Fixtures/tiny-llama"

  /// A program that is called as Python is: `-c SCRIPT MODEL TOKENS OUTPUT`.
  private func python(_ body: String, in folder: TemporaryFolder) throws -> String {
    let path = folder.file("python")
    try "#!/bin/sh\nmodel=$3; tokens=$(tr -d '[]' <$4); output=$5\n\(body)\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  /// Computes with Kist, and says that it is another.
  private func honest(_ folder: TemporaryFolder, model: String = "$model") -> String {
    let kist = KistProcess.products.appendingPathComponent("kist").path
    return """
      '\(kist)' logits "\(model)" --tokens "$tokens" -o '\(folder.path)/l.npy' --force --quiet >'\(folder.path)/shape.txt' || exit 1
      tail -c +129 '\(folder.path)/l.npy' >"$output"
      bytes=$(wc -c <"$output"); count=$(echo "$tokens" | tr ',' '\\n' | wc -l)
      echo "a line that it prints besides"
      echo "{\\"engine\\": \\"transformers 9.9\\", \\"vocabulary\\": $((bytes / 4 / count))}"
      """
  }

  @Test(arguments: ["transformers", "llama.cpp"])
  func `the verdict names the program and version that computed`(engine: String) throws {
    let folder = try TemporaryFolder()
    let body = honest(folder, model: Self.model)
    let stand = try python(body, in: folder)
    if engine == "llama.cpp" {
      // What llama.cpp does not read is converted for it, or it is said that it can't be.
      let process = try kist("verify", Self.model, "--with", engine, "--python", stand, in: folder)
      #expect(process.status == 0 || process.errors.contains("llama.cpp reads"), "\(process.errors)")
      return
    }
    let process = try kist(
      "verify", Self.model, "--with", engine, "--python", stand, "--json", "--save-logits", "kept.safetensors",
      in: folder)
    #expect(process.status == 0, "\(process.errors)")
    let verdict = try #require(try process.json()["verdict"] as? [String: Any])
    #expect(verdict["matches"] as? Bool == true && verdict["reference"] as? String == "transformers 9.9")
    let golden = try kist("verify", Self.model, "--golden", "kept.safetensors", in: folder)
    #expect(golden.status == 0 && golden.output.contains("transformers 9.9"))
  }

  @Test func `a container is written as a directory for transformers`() throws {
    let folder = try TemporaryFolder()
    try kist("convert", Self.model, "-o", "a.kist", "--no-probes", "--quiet", in: folder)
    let stand = try python("test -f \"$model/config.json\" || exit 9\n" + honest(folder), in: folder)
    let process = try kist("verify", "a.kist", "--with", "transformers", "--python", stand, in: folder)
    #expect(process.status == 0, "\(process.errors)")
  }

  @Test func `what it computes decides`() throws {
    let folder = try TemporaryFolder()
    // The same logits, of a model with other weights.
    let stand = try python(honest(folder, model: "\(repository)/Fixtures/tiny-llama-sharded"), in: folder)
    let process = try kist("verify", Self.model, "--with", "transformers", "--python", stand, in: folder)
    #expect(process.status == 1 || process.errors.contains("vocabulary"), "\(process.output)\(process.errors)")
  }

  @Test func `what is not installed is said, with how to install it`() throws {
    let folder = try TemporaryFolder()
    let stand = try python("echo transformers; exit 3", in: folder)
    let process = try kist("verify", Self.model, "--with", "transformers", "--python", stand, in: folder)
    #expect(
      process.status == 2 && process.errors.contains("has no module transformers; pip install transformers torch"))
    let none = try kist("verify", Self.model, "--with", "transformers", "--python", "/no/python", in: folder)
    #expect(none.status == 2 && none.errors.contains("no such Python"), "\(none.errors)")
    let failing = try python("echo 'Traceback' >&2; echo 'ValueError: no such model' >&2; exit 1", in: folder)
    let failed = try kist("verify", Self.model, "--with", "transformers", "--python", failing, in: folder)
    #expect(failed.status == 2 && failed.errors.contains("can't compute it: ValueError: no such model"))
  }

  /// Puts a `llama-results` into PATH that gives Kist's own logits of tokens, and a `python3` without llama.cpp; gives the environment.
  private func program(_ tokens: String, in folder: TemporaryFolder) throws -> [String: String] {
    let logits = try kist("logits", Self.model, "--tokens", tokens, "-o", "own.npy", "--force", in: folder)
    #expect(logits.status == 0, "\(logits.errors)")
    let ids = tokens.split(separator: ",").compactMap { Int32($0) }
    try writeFile(
      resultsGGUF(tokens: ids, logits: try readFile(folder.file("own.npy")).suffix(ids.count * 512 * 4)),
      folder.file("own.gguf"))
    let scripts = [
      "python3": "echo llama_cpp; exit 3",
      "llama-results": """
      [ "$1" = --version ] && { echo 'version: 9999 (abcdef0)' >&2; exit; }
      while [ $# -gt 0 ]; do
        case $1 in --output) output=$2 ;; --model) test -f "$2" || exit 1 ;; --binary-file) cp "$2" '\(folder.path)/text' ;; esac
        shift 2
      done
      cp '\(folder.path)/own.gguf' "$output"
      """,
    ]
    for (name, body) in scripts {
      try "#!/bin/sh\n\(body)\n".write(toFile: folder.file(name), atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file(name))
    }
    return ["PATH": "\(folder.path):/usr/bin:/bin", "KIST_PYTHON": ""]
  }

  /// What llama.cpp's tools/results writes: two tensors, the logits listed as [tokens, vocabulary] with the fastest dimension first.
  private func resultsGGUF(tokens: [Int32], logits: ArraySlice<UInt8>) -> [UInt8] {
    func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
      withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
    func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: -bytes.count & 31) }
    func info(_ name: String, _ dims: [Int], _ type: UInt32, _ offset: Int) -> [UInt8] {
      little(UInt64(name.utf8.count)) + Array(name.utf8) + little(UInt32(dims.count))
        + dims.flatMap { little(UInt64($0)) }
        + little(type) + little(UInt64(offset))
    }
    let ids = padded(tokens.flatMap { little($0) })
    let head = Array("GGUF".utf8) + little(UInt32(3)) + little(UInt64(2)) + little(UInt64(0))
    let infos =
      info("tokens", [tokens.count], 26, 0)
      + info("logits", [tokens.count, logits.count / 4 / tokens.count], 0, ids.count)
    return padded(head + infos) + ids + Array(logits)
  }

  @Test func `llama.cpp's own program will do where no Python has it`() throws {
    let folder = try TemporaryFolder()
    let text = "The quick brown fox jumps over the lazy dog."
    try text.write(toFile: folder.file("fox.txt"), atomically: true, encoding: .utf8)
    let tokens = try kist("tokenizer", "encode", Self.model, text).output
      .trimmingCharacters(in: .whitespacesAndNewlines).replacing(" ", with: ",")
    let environment = try program(tokens, in: folder)
    func verify(_ arguments: String..., environment: [String: String]) throws -> KistProcess {
      try KistProcess.run(
        ["verify", Self.model, "--with", "llama.cpp"] + arguments, in: folder, environment: environment)
    }
    let sound = try verify("--text", "fox.txt", "--save-logits", "kept.safetensors", environment: environment)
    #expect(sound.status == 0, "\(sound.errors)")
    #expect(sound.output.contains("by the word of llama.cpp 9999 (abcdef0)"), "\(sound.output)")
    #expect(try String(contentsOfFile: folder.file("text"), encoding: .utf8).trimmingPrefix(" ") == text)
    #expect(try kist("verify", Self.model, "--golden", "kept.safetensors", in: folder).status == 0)
    #expect(try verify("--tokens", tokens, environment: environment).status == 0)

    let others = try verify("--tokens", tokens + ",7", environment: environment)
    #expect(others.status == 2 && others.errors.contains("makes other tokens of the text"), "\(others.errors)")
    let named = try verify("--python", "python3", environment: environment)
    #expect(named.status == 2 && named.errors.contains("has no module llama_cpp; pip install llama-cpp-python"))
    try "#!/bin/sh\necho 'no such model' >&2; exit 1".write(
      toFile: folder.file("llama-results"), atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("llama-results"))
    let failed = try verify("--text", "fox.txt", environment: environment)
    #expect(
      failed.status == 2 && failed.errors.contains("llama-results can't compute it: no such model"), "\(failed.errors)")
  }

  @Test func `options that do not go together are wrong usage`() throws {
    for arguments in [["--with", "transformers", "--golden", "x"], ["--python", "p"], ["--with", "other"]] {
      #expect(try KistProcess.run(["verify", Self.model] + arguments).status == 64)
    }
  }
}
