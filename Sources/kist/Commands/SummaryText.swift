import KistConversion
import KistCore

/// A summary of a checkpoint as lines for a person.
struct SummaryText {
  let summary: CheckpointSummary

  init(_ summary: CheckpointSummary) { self.summary = summary }

  func overview() -> [String] {
    var lines = [headline, ""]
    lines += sizes
    lines += section("DTYPES", dtypes)
    lines += section("TENSORS", groups)
    lines += section("ASSETS", assets)
    lines += section("METADATA", metadata(isFull: false))
    lines += section("DIGESTS", digests)
    lines += section("SIGNATURES", signatures)
    lines += section("LEFT OUT", leftOut)
    return lines
  }

  private var headline: String {
    var parts = [SummaryText.formatName(summary.format)]
    if let architecture = summary.architecture {
      parts.append(architecture + (summary.modelType.map { " (\($0))" } ?? ""))
    } else if let modelType = summary.modelType {
      parts.append(modelType)
    }
    parts.append(Quantity.parameters(summary.parameterCount) + " parameters")
    return Terminal.bold(summary.path.escapedForTerminal) + "  " + parts.joined(separator: ", ").escapedForTerminal
  }

  static func formatName(_ format: String) -> String {
    switch Checkpoint.Format(rawValue: format) {
    case .kist: "Kist container"
    case .safetensors: "safetensors file"
    case .gguf: "GGUF file"
    case .huggingFace: "Hugging Face directory"
    case .pytorch: "PyTorch checkpoint"
    case .npz: "NumPy archive"
    case .npy: "NumPy array"
    case nil: format
    }
  }

  private var sizes: [String] {
    var table = TextTable([.left, .left])
    table.add(["  files", "\(Quantity.bytes(summary.fileByteCount)) (\(Quantity.count(summary.fileByteCount)) bytes)"])
    var tensors = "\(Quantity.count(summary.tensorCount)), \(Quantity.bytes(summary.rawByteCount))"
    if summary.storedByteCount != summary.rawByteCount, let ratio = summary.ratio {
      tensors += ", stored as \(Quantity.bytes(summary.storedByteCount)) (\(Quantity.percentage(ratio)))"
    }
    table.add(["  tensors", tensors])
    var parameters = Quantity.count(summary.parameterCount)
    if let repeated = summary.repeatedParameterCount, repeated > 0 {
      parameters += ", of which \(Quantity.count(repeated)) repeat an earlier tensor and are stored once"
    }
    table.add(["  parameters", parameters])
    if let generation = summary.generation, generation > 1 { table.add(["  generation", "\(generation)"]) }
    if let set = summary.set {
      table.add(["  set", set.number.map { "part \($0) of \(set.count) of a conversion" } ?? "\(set.count) shards"])
    }
    return table.lines()
  }

  private func section(_ title: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : ["", Terminal.bold(title)] + lines
  }

  private var isPacked: Bool { summary.storedByteCount != summary.rawByteCount }

  /// Size, and when the file is packed, what is stored and the ratio.
  private func sizeCells(raw: Int, stored: Int) -> [String] {
    guard isPacked else { return [Quantity.bytes(raw)] }
    return [
      Quantity.bytes(raw), Quantity.bytes(stored), raw > 0 ? Quantity.percentage(Double(stored) / Double(raw)) : "",
    ]
  }

  private var sizeAlignments: [TextTable.Alignment] { isPacked ? [.right, .right, .right] : [.right] }

  private var dtypes: [String] {
    guard !summary.dtypes.isEmpty else { return [] }
    var table = TextTable([.left, .right, .right] + sizeAlignments)
    for total in summary.dtypes {
      table.add(
        [total.dtype, "\(Quantity.count(total.tensorCount)) tensors", "\(Quantity.count(total.elementCount)) elements"]
          + sizeCells(raw: total.rawByteCount, stored: total.storedByteCount))
    }
    return table.lines(indent: 2, width: Terminal.width)
  }

  private var groups: [String] {
    guard !summary.groups.isEmpty else { return [] }
    var table = TextTable([.left, .left, .left, .left] + sizeAlignments)
    for group in summary.groups {
      table.add(
        [group.pattern, "\(group.shape)", group.dtype, group.tensorCount > 1 ? "×\(group.tensorCount)" : ""]
          + sizeCells(raw: group.rawByteCount, stored: group.storedByteCount))
    }
    return table.lines(indent: 2, width: Terminal.width)
  }

  private var assets: [String] {
    guard !summary.assets.isEmpty else { return [] }
    let isPacked = summary.assets.contains { $0.storedByteCount != $0.byteCount }
    var table = TextTable([.left, .right] + (isPacked ? [.right] : []))
    for asset in summary.assets {
      table.add(
        [asset.path, Quantity.bytes(asset.byteCount)] + (isPacked ? [Quantity.bytes(asset.storedByteCount)] : []))
    }
    return table.lines(indent: 2, width: Terminal.width)
  }

  /// - Parameter isFull: Whether long values are given to their end.
  func metadata(isFull: Bool) -> [String] {
    guard !summary.metadata.isEmpty else { return isFull ? ["no metadata"] : [] }
    var table = TextTable([.left, .left, .left])
    for item in summary.metadata {
      let value = isFull || item.value.count <= 60 ? item.value : item.value.prefix(57) + "…"
      table.add([item.key, item.type, value])
    }
    return table.lines(indent: isFull ? 0 : 2)
  }

  private var digests: [String] {
    guard let weights = summary.weightsDigest, let package = summary.packageDigest else { return [] }
    return ["  weights  \(weights)", "  package  \(package)"]
  }

  private var signatures: [String] {
    (summary.signatures ?? []).map { signature in
      "  \(signature.fingerprint)  "
        + (signature.isValid
          ? Terminal.good("signs this package digest") : Terminal.bad("does not sign this package digest"))
    }
  }

  private var leftOut: [String] {
    guard !summary.leftOut.isEmpty else { return [] }
    var table = TextTable([.left, .left])
    for file in summary.leftOut { table.add([file.path, file.reason]) }
    return table.lines(indent: 2)
  }
}
