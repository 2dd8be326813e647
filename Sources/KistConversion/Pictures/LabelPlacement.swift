/// Places labels beside points, so that they cover neither points nor each other where there is room.
struct LabelPlacement {
  struct Box {
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double

    func overlaps(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }

    func isInside(_ outer: Box) -> Bool {
      left >= outer.left && right <= outer.right && top >= outer.top && bottom <= outer.bottom
    }
  }

  /// Where a label begins, and which part of it stands there.
  struct Place {
    var x: Double
    var y: Double
    var anchor: String
    /// Whether a line is to lead there.
    var isFar: Bool
  }

  private let frame: Box
  private var taken: [Box]

  /// About what a letter of 13 px takes.
  private static let letter = (width: 7.4, height: 15.0)

  init(width: Double, height: Double, points: [(x: Double, y: Double)]) {
    frame = Box(left: 4, top: 4, right: width - 4, bottom: height - 4)
    taken = points.map { Box(left: $0.x - 4, top: $0.y - 4, right: $0.x + 4, bottom: $0.y + 4) }
  }

  /// The first place around a point that is free, near ones first; right of it when none is.
  mutating func place(_ label: String, at point: (x: Double, y: Double)) -> Place {
    let width = Self.letter.width * Double(label.count)
    func box(_ place: Place) -> Box {
      let left = place.anchor == "start" ? place.x : place.anchor == "end" ? place.x - width : place.x - width / 2
      return Box(left: left, top: place.y - 11, right: left + width, bottom: place.y - 11 + Self.letter.height)
    }
    let candidates = Self.rings.flatMap { ring in
      Self.places.map {
        Place(x: point.x + $0.dx * ring, y: point.y + 4 + $0.dy * ring, anchor: $0.anchor, isFar: ring > 1)
      }
    }
    let free = candidates.first { candidate in
      let own = box(candidate)
      return own.isInside(frame) && !taken.contains { $0.overlaps(own) }
    }
    let place = free ?? candidates[0]
    taken.append(box(place))
    return place
  }

  private static let places: [(dx: Double, dy: Double, anchor: String)] = [
    (8, 0, "start"), (-8, 0, "end"), (0, -13, "middle"), (0, 15, "middle"), (7, -11, "start"), (7, 12, "start"),
    (-7, -11, "end"), (-7, 12, "end"),
  ]
  /// How far out it is looked, as a multiple of those.
  private static let rings = [1.0, 2, 3, 4.5, 6]
}
