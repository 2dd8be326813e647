import KistCore

extension ModelReport {
  /// The report as one page that needs nothing else.
  public var page: HTMLPage {
    let sections: [(id: String, title: String, content: [Markup])] = [
      ("probes", "Whether it is whole", verificationSection), ("architecture", "Architecture", architectureSection),
      ("layers", "Where the weights are", layersSection), ("dtypes", "Dtypes", dtypesSection),
      ("groups", "Tensors by kind", groupsSection), ("values", "How weights are spread", histogramSection),
      ("vocabulary", "Vocabulary", vocabularySection), ("metadata", "Metadata", metadataSection),
      ("files", "Files", filesSection), ("tensors", "All tensors", tensorsSection), ("card", "Model card", cardSection),
    ].filter { !$0.2.isEmpty }
    let links = sections.map { Markup.element("a", ["href": "#\($0.id)"], $0.title) }
    let search = Markup.element(
      "input",
      ["id": "search", "type": "search", "placeholder": "Search this page (/)", "aria-label": "Search this page"])
    let bar = Markup.element(
      "nav", ["class": "controls", "aria-label": "Sections"],
      [search, .element("span", ["id": "found", "class": "soft", "aria-live": "polite"]), .element("div", [:], links)])
    return HTMLPage(
      title: name, subtitle: headline,
      content: [bar]
        + sections.map { section in
          .element("section", ["id": section.id], [.element("h2", [:], section.title)] + section.content)
        } + [.element("footer", ["class": "soft"], "Made by \(KistVersion.name) inspect.")],
      styles: Self.styles, script: Self.code)
  }

  /// The last part of the path.
  private var name: String {
    summary.path.split(separator: "/").last.map(String.init) ?? summary.path
  }

  private var headline: String {
    var parts = [summary.format, summary.architecture ?? summary.modelType].compactMap { $0 }
    parts += ["\(Quantity.parameters(summary.parameterCount)) parameters", Quantity.bytes(summary.fileByteCount)]
    return parts.joined(separator: ", ")
  }

  // MARK: - Tables

  /// A table whose rows the search finds.
  static func table(_ titles: [String], numbers: Set<Int> = [], _ rows: [[Markup]]) -> Markup {
    func cell(_ name: StaticString, _ index: Int, _ content: [Markup]) -> Markup {
      numbers.contains(index) ? .element(name, ["class": "n"], content) : .element(name, [:], content)
    }
    let head = titles.enumerated().map { cell("th", $0, [.text($1)]) }
    let body = rows.map { row in
      Markup.element("tr", ["class": "find"], row.enumerated().map { cell("td", $0, [$1]) })
    }
    let parts =
      (titles.isEmpty ? [] : [Markup.element("thead", [:], [.element("tr", [:], head)])])
      + [Markup.element("tbody", [:], body)]
    return .element("div", ["class": "scroll"], [.element("table", [:], parts)])
  }

  static func pairs(_ rows: [(name: String, value: String)]) -> Markup {
    .element(
      "div", ["class": "scroll"],
      [
        .element(
          "table", [:],
          rows.map { row in
            .element(
              "tr", ["class": "find"],
              [.element("th", ["scope": "row"], row.name), .element("td", ["class": "wrap"], row.value)])
          })
      ])
  }

  static func mono(_ text: String) -> Markup { .element("code", [:], text) }

  private var isPacked: Bool { summary.storedByteCount != summary.rawByteCount }

  /// Raw and stored size with their ratio, as far as that says something.
  private func sizes(_ raw: Int, _ stored: Int) -> [Markup] {
    guard isPacked else { return [.text(Quantity.bytes(raw))] }
    let ratio = raw > 0 ? Double(stored) / Double(raw) : 1
    return [
      .text(Quantity.bytes(raw)), .text(Quantity.bytes(stored)),
      .element(
        "span", ["class": "bar", "style": "--part:\(Quantity.decimal(min(max(ratio, 0), 1), places: 3))"],
        Quantity.percentage(ratio)),
    ]
  }

  private var sizeTitles: [String] { isPacked ? ["raw", "stored", "stored ÷ raw"] : ["size"] }

  private var dtypesSection: [Markup] {
    guard !summary.dtypes.isEmpty else { return [] }
    let rows = summary.dtypes.map { total in
      [.text(total.dtype), .text(Quantity.count(total.tensorCount)), .text(Quantity.count(total.elementCount))]
        + sizes(total.rawByteCount, total.storedByteCount)
    }
    return [Self.table(["dtype", "tensors", "elements"] + sizeTitles, numbers: [1, 2, 3, 4], rows)]
  }

  private var groupsSection: [Markup] {
    let rows = summary.groups.map { group in
      [Self.mono(group.pattern), .text(group.dtype), .text("\(group.shape)"), .text(Quantity.count(group.tensorCount))]
        + sizes(group.rawByteCount, group.storedByteCount)
    }
    return [Self.table(["tensor", "dtype", "shape", "count"] + sizeTitles, numbers: [3, 4, 5], rows)]
  }

  /// Longer lists make pages that no browser likes.
  private static let mostRows = 20_000

  private var tensorsSection: [Markup] {
    let rows = summary.tensors.prefix(Self.mostRows).map { tensor in
      [
        Self.mono(tensor.name), .text(tensor.dtype), .text("\(tensor.shape)"),
        .text(Quantity.count(tensor.elementCount)),
      ] + sizes(tensor.rawByteCount, tensor.storedByteCount)
    }
    let rest = summary.tensors.count - rows.count
    let note = rest > 0 ? [Markup.element("p", ["class": "soft"], "… and \(Quantity.count(rest)) more")] : []
    let list = Self.table(["tensor", "dtype", "shape", "elements"] + sizeTitles, numbers: [3, 4, 5], Array(rows))
    return [
      .element(
        "details", summary.tensors.count > 200 ? [:] : ["open": ""],
        [.element("summary", [:], "\(Quantity.count(summary.tensorCount)) tensors"), list] + note)
    ]
  }

  private var filesSection: [Markup] {
    guard !summary.assets.isEmpty || !summary.leftOut.isEmpty else { return [] }
    var content: [Markup] = []
    if !summary.assets.isEmpty {
      content.append(
        Self.table(
          ["file", "size"], numbers: [1],
          summary.assets.map { [Self.mono($0.path), .text(Quantity.bytes($0.byteCount))] }))
    }
    if !summary.leftOut.isEmpty {
      content.append(
        Self.table(
          ["left out", "why"],
          summary.leftOut.map { [Self.mono($0.path), .element("span", ["class": "wrap"], $0.reason)] }))
    }
    return content
  }

  private var metadataSection: [Markup] {
    guard !summary.metadata.isEmpty else { return [] }
    return [
      Self.table(
        ["key", "type", "value"],
        summary.metadata.map { item in
          [
            Self.mono(item.key), .text(item.type + (item.count.map { " of \(Quantity.count($0))" } ?? "")),
            .element("span", ["class": "wrap"], String(item.value.prefix(2000))),
          ]
        })
    ]
  }
}
