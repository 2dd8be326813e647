import ArgumentParser
import KistConversion
import KistCore
import KistFormat

struct Compact: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Drop from a file what earlier edits left behind.",
    discussion: """
      Edits only append. compact writes the file anew with what its latest state reaches, checks every checksum on \
      the way, and puts it in the old one's place when it is complete. Stored bytes are copied, not packed again; \
      signatures stay valid.

      EXAMPLES
        kist compact minilm.kist
        kist compact minilm.kist --json
      """)

  @Argument(help: "A .kist file.", completion: .file())
  var file: String

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let sizes = try KistFile.compact(path: file, parallelism: global.parallelism, progress: global.progress)
    if global.json {
      try Output.json(Sizes(path: file, before: sizes.before, after: sizes.after))
    } else {
      Output.line(
        "\(file.escapedForTerminal): \(Quantity.count(sizes.before)) → \(Quantity.count(sizes.after)) bytes, "
          + "\(Quantity.bytes(sizes.before - sizes.after)) less")
    }
  }

  private struct Sizes: Encodable {
    var path: String
    var before: Int
    var after: Int

    enum CodingKeys: String, CodingKey {
      case path
      case before = "bytes_before"
      case after = "bytes_after"
    }
  }
}
