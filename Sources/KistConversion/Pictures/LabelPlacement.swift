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
  }

  private let frame: Box
  private var taken: [Box]

  /// About what a letter of 13 px takes.
  private static let letter = (width: 7.4, height: 15.0)

  init(width: Double, height: Double, points: [(x: Double, y: Double)]) {
    frame = Box(left: 4, top: 4, right: width - 4, bottom: height - 4)
    taken = points.map { Box(left: $0.x - 4, top: $0.y - 4, right: $0.x + 4, bottom: $0.y + 4) }
  }

  /// The first of eight places around a point that is free; right of it when none is.
  mutating func place(_ label: String, at point: (x: Double, y: Double)) -> Place {
    let width = Self.letter.width * Double(label.count)
    let candidates: [(dx: Double, dy: Double, anchor: String)] = [
      (8, 4, "start"), (-8, 4, "end"), (0, -9, "middle"), (0, 19, "middle"), (7, -7, "start"), (7, 16, "start"),
      (-7, -7, "end"), (-7, 16, "end"),
    ]
    func box(_ x: Double, _ y: Double, _ anchor: String) -> Box {
      let left = anchor == "start" ? x : anchor == "end" ? x - width : x - width / 2
      return Box(left: left, top: y - 11, right: left + width, bottom: y - 11 + Self.letter.height)
    }
    let free = candidates.first { candidate in
      let own = box(point.x + candidate.dx, point.y + candidate.dy, candidate.anchor)
      return own.isInside(frame) && !taken.contains { $0.overlaps(own) }
    }
    let chosen = free ?? candidates[0]
    let place = Place(x: point.x + chosen.dx, y: point.y + chosen.dy, anchor: chosen.anchor)
    taken.append(box(place.x, place.y, place.anchor))
    return place
  }
}
