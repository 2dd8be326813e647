import ArgumentParser
import KistCore

/// How much of a model's weights may stay in memory.
struct MemoryOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Weights that may stay in memory between uses, such as 2GiB; the rest is read again. (default: 1GiB)",
      valueName: "size"))
  var memory: ByteCount?

  /// Bytes.
  var byteCount: Int? { memory?.count }
}

/// A number of bytes as people write it: `500MB`, `2GiB`, `4096`.
struct ByteCount: ExpressibleByArgument {
  var count: Int

  private static let units: [(name: String, size: Double)] = [
    ("kib", 0x1p10), ("mib", 0x1p20), ("gib", 0x1p30), ("tib", 0x1p40), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9),
    ("tb", 1e12), ("k", 1e3), ("m", 1e6), ("g", 1e9), ("b", 1), ("", 1),
  ]

  init?(argument: String) {
    let text = argument.lowercased().filter { $0 != " " }
    guard let unit = ByteCount.units.first(where: { text.hasSuffix($0.name) }),
      let value = Double(text.dropLast(unit.name.count)), value >= 0, value * unit.size < 0x1p62
    else { return nil }
    count = Int(value * unit.size)
  }
}
