import KistCore

extension ModelReport {
  /// Two treemaps to choose from: parameters, and bytes in the file.
  var layersSection: [Markup] {
    let areas = LayerAreas(summary.tensors).areas
    guard !areas.isEmpty else { return [] }
    func choice(_ id: String, _ title: String, isChosen: Bool) -> Markup {
      let input: Markup =
        isChosen
        ? .element("input", ["type": "radio", "name": "measure", "value": id, "checked": ""])
        : .element("input", ["type": "radio", "name": "measure", "value": id])
      return .element("label", [:], [input, .text(" " + title)])
    }
    let legend = LayerAreas.Kind.allCases.map { kind in
      Markup.element("span", [:], [.element("i", ["class": "swatch \(Self.className(kind))"]), .text(kind.rawValue)])
    }
    return [
      .element(
        "div", ["class": "controls"],
        [
          choice("parameters", "by parameters", isChosen: true),
          choice("bytes", "by bytes in the file", isChosen: false),
        ]),
      Self.treemap(areas, \.elementCount, id: "map-parameters") { "\(Quantity.parameters($0)) parameters" },
      Self.treemap(areas, \.storedByteCount, id: "map-bytes", Quantity.bytes),
      .element(
        "p", ["id": "shown", "class": "soft", "aria-live": "polite"],
        "Touch an area, or go there with Tab, to read what it is."),
      .element("p", ["class": "legend"], legend),
    ]
  }

  private static func className(_ kind: LayerAreas.Kind) -> String {
    switch kind {
    case .attention: "attention"
    case .feedForward: "feed"
    case .embedding: "embedding"
    case .other: "other"
    }
  }

  private static func treemap(
    _ areas: [LayerAreas.Area], _ measure: KeyPath<LayerAreas.Part, Int>, id: String, _ words: (Int) -> String
  ) -> Markup {
    let frame = Treemap.Rectangle(left: 0, top: 0, width: 160, height: 90)
    let places = Treemap.layout(areas.map { Double($0.size(measure)) }, in: frame)
    var boxes: [Markup] = []
    for (area, place) in zip(areas, places) where place.width > 0 {
      let inner = Treemap.layout(
        area.parts.map { Double($0[keyPath: measure]) },
        in: Treemap.Rectangle(left: 0, top: 0, width: place.width, height: place.height))
      var parts: [Markup] = []
      for (part, own) in zip(area.parts, inner) where own.width > 0 {
        let count = part.tensorCount > 1 ? "\(part.tensorCount) tensors, " : ""
        parts.append(
          .element(
            "i",
            [
              "class": className(part.kind), "style": style(own, in: place.width, place.height),
              "title": "\(area.name): \(part.name): \(count)\(words(part[keyPath: measure]))",
            ]))
      }
      let says = "\(area.name): \(words(area.size(measure)))"
      boxes.append(
        .element(
          "div",
          ["class": "area", "style": style(place, in: frame.width, frame.height), "tabindex": "0", "aria-label": says],
          parts + [label(area.shortName), .element("small", [:], words(area.size(measure)))]))
    }
    return .element("div", ["class": "treemap", "id": id, "role": "group", "aria-label": "Layers as areas"], boxes)
  }

  /// Of a narrow area, the number alone is seen.
  private static func label(_ name: String) -> Markup {
    guard let point = name.lastIndex(of: "."), name[point...].dropFirst().allSatisfy(\.isNumber) else {
      return .element("b", [:], name)
    }
    return .element(
      "b", [:], [.element("span", [:], String(name[...point])), .text(String(name[point...].dropFirst()))])
  }

  private static func style(_ place: Treemap.Rectangle, in width: Double, _ height: Double) -> String {
    func part(_ value: Double, _ whole: Double) -> String {
      Quantity.decimal(100 * value / max(whole, 1e-12), places: 3)
    }
    return "left:\(part(place.left, width))%;top:\(part(place.top, height))%;width:\(part(place.width, width))%;"
      + "height:\(part(place.height, height))%"
  }

  // MARK: - Histograms

  var histogramSection: [Markup] {
    guard !histograms.isEmpty else { return [] }
    let explanation =
      "Of up to a million weights of each kind, from four standard deviations below their mean to four above."
    return [
      .element("p", ["class": "soft"], explanation), .element("div", ["class": "cards"], histograms.map(Self.card)),
    ]
  }

  private static func card(_ histogram: WeightHistogram) -> Markup {
    let number = Quantity.number
    let most = Double(histogram.counts.max() ?? 1)
    let (width, height) = (244.0, 72.0)
    let step = width / Double(histogram.counts.count)
    var path = ""
    for (index, count) in histogram.counts.enumerated() where count > 0 {
      let size = max(1, height * Double(count) / most)
      path += "M\((Double(index) * step).svg) \(height.svg)v-\(size.svg)h\((step * 0.86).svg)v\(size.svg)z"
    }
    let says = "mean \(number(histogram.mean)), σ \(number(histogram.standardDeviation))"
    let picture = Markup.element(
      "svg", ["viewBox": "0 0 \(width.svg) \(height.svg)", "role": "img", "aria-label": "Histogram, \(says)"],
      [.element("path", ["class": "mark", "d": path])])
    return .element(
      "figure", ["class": "find"],
      [
        .element("figcaption", [:], [mono(histogram.pattern)]), picture,
        .element(
          "div", ["class": "ends soft"],
          [
            .element("span", [:], number(histogram.range.lowerBound)),
            .element("span", [:], number(histogram.range.upperBound)),
          ]),
        .element(
          "div", ["class": "soft"], "\(says); from \(number(histogram.minimum)) to \(number(histogram.maximum))"),
      ])
  }
}
