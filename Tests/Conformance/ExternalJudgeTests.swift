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

  @Test func `options that do not go together are wrong usage`() throws {
    for arguments in [["--with", "transformers", "--golden", "x"], ["--python", "p"], ["--with", "other"]] {
      #expect(try KistProcess.run(["verify", Self.model] + arguments).status == 64)
    }
  }
}
