import Foundation
import TestSupport
import Testing

/// What `make install` makes of the command's own definitions.
@Suite struct InstallTests {
  @Test(arguments: ["bash", "zsh", "fish"]) func `there are completions for every verb`(shell: String) throws {
    let script = try kist("--generate-completion-script", shell)
    #expect(script.status == 0)
    for word in ["convert", "join", "tokenizer", "shard-size"] { #expect(script.output.contains(word), "\(word)") }
  }

  @Test(.enabled(if: TestServer.pythonPath != nil, "python3 is not here"))
  func `there is a manual page for every verb, with all its options`() throws {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: TestServer.pythonPath ?? "")
    process.arguments = ["\(repository)/docs/man.py", folder.file("man1"), "kist"]
    let input = Pipe()
    process.standardInput = input
    try process.run()
    input.fileHandleForWriting.write(Data(try kist("--experimental-dump-help").output.utf8))
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let pages = try FileManager.default.contentsOfDirectory(atPath: folder.file("man1"))
    for page in ["kist.1", "kist-convert.1", "kist-tokenizer-encode.1"] { #expect(pages.contains(page)) }
    let text = try String(contentsOfFile: folder.file("man1/kist-convert.1"), encoding: .utf8)
    for part in [".SH EXAMPLES", #"\-\-shard\-size"#, #"\-\-pack"#] { #expect(text.contains(part), "\(part)") }
  }
}
