import KistConversion
import KistCore

/// What a quantization cost, as lines for a person.
struct QuantizationText {
  private let report: QuantizationReport

  init(_ report: QuantizationReport) { self.report = report }

  var lines: [String] { tensors + [""] + types + [""] + model }

  private var isMeasured: Bool { report.byteCount != nil }

  private var tensors: [String] {
    let columns: [TextTable.Alignment] = [.left, .left, .left, .left, .right, .right, .right, .right, .left]
    var table = TextTable(
      columns, titles: ["tensor", "shape", "was", "is", "size", "bits", "NMSE", "max |Δ|", ""])
    for tensor in report.tensors {
      table.add([
        tensor.name, "\(tensor.shape)", tensor.sourceType, tensor.type, Quantity.bytes(tensor.byteCount),
        Quantity.number(tensor.bitsPerWeight), number(tensor.nmse), number(tensor.maximumDifference),
        tensor.note ?? "",
      ])
    }
    return table.lines(width: Terminal.width, emphasis: Terminal.bold)
  }

  private var types: [String] {
    let isPacked = report.types.contains { $0.storedByteCount != nil && $0.storedByteCount != $0.byteCount }
    let packing = isPacked ? ["stored", "of size"] : []
    let titles = ["type", "tensors", "weights", "size"] + packing + ["bits", "NMSE", "max |Δ|"]
    var table = TextTable([.left] + titles.dropFirst().map { _ in .right }, titles: titles)
    for total in report.types {
      let bits = 8 * Double(total.byteCount) / Double(max(1, total.parameterCount))
      table.add(
        [
          total.type, Quantity.count(total.tensorCount), Quantity.parameters(total.parameterCount),
          Quantity.bytes(total.byteCount),
        ] + (isPacked ? stored(total) : []) + [
          Quantity.number(bits), number(total.nmse), number(total.maximumDifference),
        ])
    }
    return table.lines(emphasis: Terminal.bold)
  }

  /// What the tensors of a type take in the container, and which part of their size that is.
  private func stored(_ total: QuantizationReport.TypeTotal) -> [String] {
    guard let stored = total.storedByteCount else { return ["-", "-"] }
    return [Quantity.bytes(stored), Quantity.percentage(Double(stored) / Double(max(1, total.byteCount)))]
  }

  private var model: [String] {
    let bits = "\(Quantity.number(report.bitsPerWeight)) bits per weight"
    let before = "of \(Quantity.number(report.sourceBitsPerWeight))"
    guard let byteCount = report.byteCount else {
      return [
        "\(report.target.escapedForTerminal): \(report.type), \(bits) \(before), tensors of "
          + "\(Quantity.bytes(report.tensorByteCount)). Nothing was written."
      ] + prediction
    }
    let target = report.files.map { "\($0[0]) and \($0.count - 1) more" } ?? report.target
    let path = (report.rejectedPath ?? target).escapedForTerminal
    let time = Quantity.seconds(report.writingSeconds ?? 0)
    let first = "\(path): \(report.type), \(Quantity.bytes(byteCount)), \(bits) \(before), written in \(time)"
    guard let verdict = report.verdict else { return [first] + prediction }
    return [first] + prediction + [damage(verdict)]
      + verdict.differences.map { "  \(Terminal.bad("differs")): \($0.escapedForTerminal)" }
  }

  /// What was expected where types were chosen.
  private var prediction: [String] {
    guard let prediction = report.prediction else { return [] }
    let divergence = prediction.divergence.map { ", mean KL \(Quantity.number($0))" } ?? ""
    return ["  predicted: at most \(Quantity.bytes(prediction.byteCount))\(divergence)"]
  }

  private func damage(_ verdict: Verdict) -> String {
    let word = verdict.matches ? Terminal.good("as expected") : Terminal.bad("worse than expected")
    let text =
      "  \(word): mean KL \(Quantity.number(verdict.divergence.mean)), "
      + "top-1 the same at \(Quantity.percentage(verdict.topOneAgreement)) of \(verdict.positionCount) positions"
    return text + "; against \(report.source.escapedForTerminal), in \(Quantity.seconds(report.judgingSeconds ?? 0))"
      + "\n  tolerance: \(verdict.tolerance)"
  }

  private func number(_ value: Double?) -> String { value.map(Quantity.number) ?? "-" }
}
