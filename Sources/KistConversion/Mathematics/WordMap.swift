import KistCore

/// Words compared with each other, and where they lie on a plane.
public struct WordMap: Sendable {
  public let words: [Word]
  /// Of each word with each.
  public let cosines: [[Double]]
  /// Of each word, along the two directions in which the words differ most; 0 along a direction that is not there.
  public let coordinates: [[Double]]
  /// The part of what differs that each direction has.
  public let explained: [Double]

  public init(_ embeddings: WordEmbeddings, _ words: [Word]) throws(KistError) {
    self.words = words
    var rows: [[Double]] = []
    for word in words { rows.append(try embeddings.direction(of: word).map(Double.init)) }
    cosines = rows.map { a in rows.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
    let components = PrincipalComponents(rows, count: 2)
    coordinates = components.coordinates
    explained = components.explained
  }

  /// The map as a drawing, both axes at one scale.
  ///
  /// - Parameter title: What the words' rows are of.
  public func picture(title: String) -> SVGPicture {
    let (width, height, margin) = (800.0, 600.0, 70.0)
    func span(_ axis: Int) -> (low: Double, high: Double) {
      let values = coordinates.map { $0[axis] }
      return (values.min() ?? 0, values.max() ?? 0)
    }
    let (across, up) = (span(0), span(1))
    let scale = min(
      (width - 2 * margin) / max(across.high - across.low, 1e-9), (height - 2 * margin) / max(up.high - up.low, 1e-9))
    let centre = ((across.low + across.high) / 2, (up.low + up.high) / 2)
    let points = coordinates.map { place in
      (x: width / 2 + (place[0] - centre.0) * scale, y: height / 2 - (place[1] - centre.1) * scale)
    }
    var placement = LabelPlacement(width: width, height: height, points: points)
    let (x, y) = (width / 2 - centre.0 * scale, height / 2 + centre.1 * scale)
    var content: [Markup] = [
      .element("path", ["class": "line", "d": "M\(x.svg) 0V\(height.svg)M0 \(y.svg)H\(width.svg)"])
    ]
    for (word, point) in zip(words, points) {
      let place = placement.place(word.text, at: point)
      if place.isFar {
        let line = "M\(point.x.svg) \(point.y.svg)L\(place.x.svg) \((place.y - 4).svg)"
        content.append(.element("path", ["class": "line", "d": line]))
      }
      content.append(.element("circle", ["class": "mark", "cx": point.x.svg, "cy": point.y.svg, "r": "4"]))
      content.append(
        .element("text", ["x": place.x.svg, "y": place.y.svg, "text-anchor": place.anchor], word.text))
    }
    let names = explained.map { Quantity.percentage($0) }
    content.append(
      .element("text", ["class": "soft", "x": "12", "y": (height - 12).svg], "→ \(names[0]) of the variance"))
    content.append(
      .element(
        "text", ["class": "soft", "transform": "translate(18 \((height - 34).svg)) rotate(-90)"],
        "→ \(names[1]) of the variance"))
    return SVGPicture(
      title: "Words in \(title)", summary: summary, width: width, height: height, content: content)
  }

  private var summary: String {
    let places = zip(words, coordinates).map { word, place in
      "\(word.text) (\(Quantity.decimal(place[0], places: 2)), \(Quantity.decimal(place[1], places: 2)))"
    }
    return "The first two principal components of \(words.count) words: " + places.joined(separator: ", ")
  }
}
