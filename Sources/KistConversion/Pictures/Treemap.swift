/// Cuts a rectangle into parts of given areas that are as square as can be.
///
/// Source: Bruls, Huizing and van Wijk, "Squarified treemaps", 2000.
package struct Treemap {
  package struct Rectangle: Equatable {
    package var left: Double
    package var top: Double
    package var width: Double
    package var height: Double

    package init(left: Double, top: Double, width: Double, height: Double) {
      (self.left, self.top, self.width, self.height) = (left, top, width, height)
    }
  }

  /// The parts, in the order of the sizes given; an empty part of a size that is not positive.
  package static func layout(_ sizes: [Double], in frame: Rectangle) -> [Rectangle] {
    var places = [Rectangle](
      repeating: Rectangle(left: frame.left, top: frame.top, width: 0, height: 0), count: sizes.count)
    let order = sizes.indices.filter { sizes[$0] > 0 }.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    let total = order.reduce(0) { $0 + sizes[$1] }
    guard total > 0, frame.width > 0, frame.height > 0 else { return places }
    let scale = frame.width * frame.height / total
    var (rest, start) = (frame, 0)
    while start < order.count {
      let side = min(rest.width, rest.height)
      var (row, area) = ([order[start]], sizes[order[start]] * scale)
      var shape = worst(row.map { sizes[$0] * scale }, area, side)
      while start + row.count < order.count {
        let next = order[start + row.count]
        let (more, wider) = (row + [next], area + sizes[next] * scale)
        let other = worst(more.map { sizes[$0] * scale }, wider, side)
        guard other <= shape else { break }
        (row, area, shape) = (more, wider, other)
      }
      place(row, sizes.map { $0 * scale }, area, &rest, &places)
      start += row.count
    }
    return places
  }

  /// The greatest ratio of sides in a row along a side.
  private static func worst(_ areas: [Double], _ sum: Double, _ side: Double) -> Double {
    let (most, least) = (areas.max() ?? 0, areas.min() ?? 0)
    return max(side * side * most / (sum * sum), sum * sum / (side * side * least))
  }

  /// Lays a row along the shorter side of what is left.
  private static func place(
    _ row: [Int], _ areas: [Double], _ sum: Double, _ rest: inout Rectangle, _ places: inout [Rectangle]
  ) {
    let isUpright = rest.width >= rest.height
    let side = isUpright ? rest.height : rest.width
    let depth = side > 0 ? sum / side : 0
    var along = isUpright ? rest.top : rest.left
    for index in row {
      let length = depth > 0 ? areas[index] / depth : 0
      places[index] =
        isUpright
        ? Rectangle(left: rest.left, top: along, width: depth, height: length)
        : Rectangle(left: along, top: rest.top, width: length, height: depth)
      along += length
    }
    if isUpright {
      rest.left += depth
      rest.width = max(0, rest.width - depth)
    } else {
      rest.top += depth
      rest.height = max(0, rest.height - depth)
    }
  }
}
