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

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash"), "bash is not here"),
    arguments: [
      ("inspect mod", "model.kist"), ("convert model.kist -o out", "out"),
      ("verify model.kist --golden log", "logits.npy"),
      ("verify model.kist --with lla", "llama.cpp"), ("tokenizer encode mod", "model.kist"),
      ("inspect model.kist --ht", "--html"),
    ])
  func `bash completes verbs, options and the names of files`(line: String, completion: String) throws {
    let folder = try TemporaryFolder()
    for name in ["model.kist", "logits.npy"] { try writeFile([], folder.file(name)) }
    try FileManager.default.createDirectory(atPath: folder.file("out"), withIntermediateDirectories: true)
    try kist("--generate-completion-script", "bash").output.write(
      toFile: folder.file("kist.bash"), atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.arguments = [
      "-c",
      """
      source ./kist.bash; COMP_WORDS=(kist \(line)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE="${COMP_WORDS[*]}"
      COMP_POINT=${#COMP_LINE}; _kist kist "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; echo "${COMPREPLY[@]}"
      """,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.split(whereSeparator: \.isWhitespace).map(String.init) == [completion])
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
