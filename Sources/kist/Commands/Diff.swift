import ArgumentParser
import KistConversion
import KistCore

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say which tensors, files and key-values differ between two checkpoints, and how much.",
    discussion: """
      The two may be of different formats. Containers are compared by their digests, without decoding; values are \
      read only of tensors that differ. Exit status 0 when they are the same, 1 when they differ.

      NMSE is Σ(a−b)² ÷ Σb².

      EXAMPLES
        kist diff a.kist b.kist
        kist diff ./MiniLM minilm.kist
        kist diff base.safetensors tuned.safetensors --json
      """)

  @Argument(help: "A checkpoint.", completion: .file())
  var a: String

  @Argument(help: "Another one.", completion: .file())
  var b: String

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let diff = try CheckpointDiff(
      try Checkpoint.open(path: a), try Checkpoint.open(path: b), parallelism: global.parallelism,
      progress: global.progress)
    if global.json {
      try Output.json(diff)
    } else {
      Output.lines(DiffText(diff).lines)
    }
    guard diff.isSame else { throw ExitStatus.differs }
  }
}

/// A comparison as lines for a person.
struct DiffText {
  private let diff: CheckpointDiff

  init(_ diff: CheckpointDiff) { self.diff = diff }

  var lines: [String] {
    guard !diff.isSame else {
      let assets = diff.equalAssetCount > 0 ? " and \(Quantity.count(diff.equalAssetCount)) files" : ""
      return ["the same: \(Quantity.count(diff.equalTensorCount)) tensors\(assets)"]
    }
    var lines: [String] = []
    lines += section("TENSORS THAT DIFFER", tensors)
    lines += section("TENSORS ONLY IN \(diff.a.escapedForTerminal)", diff.tensorsOnlyInA.map(tensor))
    lines += section("TENSORS ONLY IN \(diff.b.escapedForTerminal)", diff.tensorsOnlyInB.map(tensor))
    lines += section("FILES THAT DIFFER", assets)
    lines += section("FILES ONLY IN \(diff.a.escapedForTerminal)", diff.assetsOnlyInA.map(asset))
    lines += section("FILES ONLY IN \(diff.b.escapedForTerminal)", diff.assetsOnlyInB.map(asset))
    lines += section("METADATA", metadata)
    return lines + [
      "", "same: \(Quantity.count(diff.equalTensorCount)) tensors, \(Quantity.count(diff.equalAssetCount)) files",
    ]
  }

  private func section(_ title: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : [Terminal.bold(title)] + lines
  }

  private var tensors: [String] {
    guard !diff.tensors.isEmpty else { return [] }
    var table = TextTable(
      [.left, .left, .right, .right, .right], titles: ["tensor", "dtype and shape", "differing", "max |Δ|", "NMSE"])
    for difference in diff.tensors {
      let (a, b) = ("\(difference.dtypeA) \(difference.shapeA)", "\(difference.dtypeB) \(difference.shapeB)")
      table.add([difference.name, a == b ? a : "\(a) → \(b)"] + cells(difference))
    }
    return table.lines(indent: 2, width: Terminal.width)
  }

  private func cells(_ difference: CheckpointDiff.TensorDifference) -> [String] {
    guard let comparison = difference.comparison else { return ["-", "-", "-"] }
    if comparison.differingCount == 0 {
      return [difference.dtypeA == difference.dtypeB ? "bits only" : "0", "0", "0"]
    }
    return [
      "\(Quantity.count(comparison.differingCount)) of \(Quantity.count(comparison.count))",
      Quantity.number(comparison.maximumDifference), Quantity.number(comparison.nmse),
    ]
  }

  private func tensor(_ side: CheckpointDiff.TensorSide) -> String {
    "  \(side.name.escapedForTerminal)  \(side.dtype) \(side.shape)"
  }

  private func asset(_ side: CheckpointDiff.AssetSide) -> String {
    "  \(side.path.escapedForTerminal)  \(Quantity.bytes(side.byteCount))"
  }

  private var assets: [String] {
    diff.assets.map { difference in
      let sizes =
        difference.byteCountA == difference.byteCountB
        ? Quantity.bytes(difference.byteCountA)
        : "\(Quantity.count(difference.byteCountA)) → \(Quantity.count(difference.byteCountB)) bytes"
      return
        "  \(difference.path.escapedForTerminal)  \(sizes), from byte \(Quantity.count(difference.firstDifference)) on"
    }
  }

  private var metadata: [String] {
    diff.metadata.map { difference in
      func side(_ row: MetadataRow?) -> String { row.map { "\($0.value.prefix(60)) (\($0.type))" } ?? "none" }
      return "  \("\(difference.key): \(side(difference.a)) → \(side(difference.b))".escapedForTerminal)"
    }
  }
}
