import KistCore

extension ModelReport {
  var architectureSection: [Markup] {
    architecture.map { [Self.pairs($0)] }
      ?? [.element("p", [:], "This version does not know the architecture, and can't compute with it.")]
  }

  var verificationSection: [Markup] {
    guard let verification else {
      let words =
        digests.isEmpty
        ? "A \(summary.format) file has no checksums and no probes: nothing says what it should be."
        : "The file is on a server: what it holds was not compared with its checksums, for which all of it would come over."
      return [.element("p", [:], words)] + (digests.isEmpty ? [] : [Self.pairs(digests)])
    }
    var rows: [(name: String, value: String)] = [
      (
        "Checksums",
        verification.problems.isEmpty
          ? "right, of all \(Quantity.count(verification.chunkCount)) chunks"
          : "\(verification.problems.count) problems"
      )
    ]
    rows += verification.problems.map { ($0.name ?? "Problem", $0.problem) }
    if let verdict = verification.verdict {
      rows += Self.words(verdict)
    } else {
      rows.append(("Probes", "none were run"))
    }
    rows += verification.notes.map { ("Note", $0) }
    rows += (summary.signatures ?? []).map {
      ("Signature", "\($0.fingerprint), \($0.isValid ? "valid" : "not of this content")")
    }
    rows += digests
    let word = verification.isSound ? "Sound" : "Not sound"
    return [
      .element("p", ["class": verification.isSound ? "good" : "bad"], word), Self.pairs(rows),
    ]
  }

  private var digests: [(name: String, value: String)] {
    [("Weights", summary.weightsDigest), ("Package", summary.packageDigest)].compactMap { name, digest in
      digest.map { (name: name, value: $0) }
    }
  }

  private static func words(_ verdict: Verdict) -> [(name: String, value: String)] {
    let number = Quantity.number
    let part = verdict.range > 0 ? verdict.largestDifference / verdict.range : 0
    var rows: [(name: String, value: String)] = [
      (
        "Probes",
        "\(verdict.summary), by the word of \(verdict.reference)"
      ),
      ("max |Δ|", "\(number(verdict.largestDifference)), \(number(part)) of the range \(number(verdict.range))"),
      ("KL", "mean \(number(verdict.divergence.mean)), max \(number(verdict.divergence.largest)) nats"),
      (
        "top-1, top-5",
        "\(Quantity.percentage(verdict.topOneAgreement)), \(Quantity.percentage(verdict.topFiveAgreement)) of \(verdict.positionCount) positions"
      ),
      ("Tolerance", verdict.tolerance),
    ]
    rows += verdict.differences.map { ("Differs", $0) }
    return rows
  }

  var vocabularySection: [Markup] {
    guard let vocabulary else { return [] }
    var rows: [(name: String, value: String)] = [
      ("Tokens", "\(Quantity.count(vocabulary.tokenCount)), \(vocabulary.model)"),
      ("Ids as those of", vocabulary.reference),
    ]
    rows += vocabulary.pipeline.map { ($0.stage, $0.steps.joined(separator: ", ")) }
    let most = vocabulary.kinds.first?.tokenCount ?? 1
    let kinds = vocabulary.kinds.map { kind -> [Markup] in
      let part = Double(kind.tokenCount) / Double(max(1, most))
      return [
        .text(kind.kind),
        .element(
          "span", ["class": "bar", "style": "--part:\(Quantity.decimal(part, places: 3))"],
          Quantity.count(kind.tokenCount)),
      ]
    }
    func tokens(_ list: ArraySlice<VocabularySummary.TokenRow>) -> [[Markup]] {
      list.map { [.text("\($0.id)"), .element("code", ["class": "wrap"], $0.text)] }
    }
    return [
      Self.pairs(rows), .element("h3", [:], "What tokens are text of"), Self.table(["", "tokens"], kinds),
      .element("h3", [:], "Special tokens"),
      Self.table(["id", "token"], numbers: [0], tokens(vocabulary.specialTokens.prefix(500))),
      .element("h3", [:], "Longest tokens"),
      Self.table(["id", "token"], numbers: [0], tokens(vocabulary.longest[...])),
    ]
  }

  var cardSection: [Markup] {
    guard let card else { return [] }
    let text = Markdown(card)
    let fields = text.fields.isEmpty ? [] : [Self.pairs(text.fields.map { (name: $0.key, value: $0.value) })]
    return fields + [.element("div", ["class": "card find"], text.blocks)]
  }
}
