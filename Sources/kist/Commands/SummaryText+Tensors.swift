import KistConversion
import KistCore

extension SummaryText {
  /// The listed tensors, one a line.
  func tensors(hasStatistics: Bool) -> [String] {
    var columns = TensorColumns.basic(of: summary)
    if hasStatistics { columns += TensorColumns.statistics }
    if summary.against != nil { columns += TensorColumns.comparison }
    if !hasStatistics, summary.against == nil, summary.weightsDigest != nil { columns += TensorColumns.digest }

    var table = TextTable(columns.map(\.alignment), titles: columns.map(\.title))
    for row in summary.tensors { table.add(columns.map { $0.cell(row) }) }
    return table.lines(width: Terminal.width, emphasis: Terminal.bold) + reference
  }

  /// What the reference has that the checkpoint has not, and the other way around.
  private var reference: [String] {
    guard let against = summary.against else { return [] }
    func list(_ title: String, _ lines: [String]) -> [String] {
      lines.isEmpty ? [] : ["", Terminal.bold(title)] + lines.map { "  " + $0.escapedForTerminal }
    }
    return list("ONLY IN THE REFERENCE", against.missing) + list("NOT IN THE REFERENCE", against.extra)
      + list(
        "NOT COMPARABLE",
        against.mismatches.map {
          "\($0.name)  \($0.dtype) \($0.shape), the reference has \($0.referenceDType) \($0.referenceShape)"
        })
  }
}

/// A column of the list of tensors.
private struct TensorColumn: Sendable {
  var title: String
  var alignment: TextTable.Alignment
  var cell: @Sendable (TensorRow) -> String
}

private enum TensorColumns {
  static func basic(of summary: CheckpointSummary) -> [TensorColumn] {
    var columns = [
      TensorColumn(title: "tensor", alignment: .left) { $0.name },
      TensorColumn(title: "dtype", alignment: .left) { $0.dtype },
      TensorColumn(title: "shape", alignment: .left) { "\($0.shape)" },
      TensorColumn(title: "size", alignment: .right) { Quantity.bytes($0.rawByteCount) },
    ]
    if summary.weightsDigest != nil {
      columns.append(
        TensorColumn(title: "stored", alignment: .right) {
          $0.sameAs == nil ? Quantity.bytes($0.storedByteCount) : "shared"
        })
      columns.append(TensorColumn(title: "codec", alignment: .left) { $0.codec ?? "" })
    }
    return columns
  }

  static let digest = [TensorColumn(title: "digest", alignment: .left) { String(($0.digest ?? "").prefix(12)) }]

  static let statistics = [
    number("min") { $0.minimum }, number("max") { $0.maximum }, number("mean") { $0.mean },
    number("std") { $0.standardDeviation },
    count("NaN") { $0.nanCount }, count("Inf") { $0.infinityCount }, count("zero") { $0.zeroCount },
  ]

  static let comparison = [
    TensorColumn(title: "bits", alignment: .right) {
      $0.elementCount > 0 ? Quantity.number(8 * Double($0.rawByteCount) / Double($0.elementCount)) : "-"
    },
    TensorColumn(title: "NMSE", alignment: .right) { $0.comparison.map { Quantity.number($0.nmse) } ?? "-" },
    TensorColumn(title: "max |Δ|", alignment: .right) {
      $0.comparison.map { Quantity.number($0.maximumDifference) } ?? "-"
    },
    TensorColumn(title: "differing", alignment: .right) {
      $0.comparison.map { Quantity.count($0.differingCount) } ?? "-"
    },
  ]

  private static func number(_ title: String, _ value: @escaping @Sendable (TensorStatistics) -> Double?)
    -> TensorColumn
  {
    TensorColumn(title: title, alignment: .right) { $0.statistics.flatMap(value).map(Quantity.number) ?? "-" }
  }

  private static func count(_ title: String, _ value: @escaping @Sendable (TensorStatistics) -> Int) -> TensorColumn {
    TensorColumn(title: title, alignment: .right) { $0.statistics.map { Quantity.count(value($0)) } ?? "-" }
  }
}
