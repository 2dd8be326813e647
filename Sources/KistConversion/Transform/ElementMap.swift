import KistArchitectures
import KistCore

/// Which numbers of some tensors make up another one: rectangles of numbers, each with its steps on both sides.
///
/// Rows that are gathered, dealt out in turn or permuted, and matrices that are transposed, all are rectangles. Places are counted in
/// numbers, or in blocks where rows stay whole.
struct ElementMap: Sendable {
  struct Rectangle: Sendable, Equatable {
    /// Which tensor the numbers are from.
    var tensor: Int
    /// What is added to each.
    var addend: Float
    var lineCount: Int
    var lineLength: Int
    var sink: Side
    var source: Side

    /// Where the numbers are: the first, and the steps from line to line and inside of a line.
    struct Side: Sendable, Equatable {
      var start: Int
      var lineStep: Int
      var step: Int
    }

    var count: Int { lineCount * lineLength }
    /// From the first place that is touched to the last.
    var sinkExtent: Range<Int> { extent(sink) }
    var sourceExtent: Range<Int> { extent(source) }

    private func extent(_ side: Side) -> Range<Int> {
      side.start..<side.start + (lineCount - 1) * side.lineStep + (lineLength - 1) * side.step + 1
    }
  }

  /// By their first places in the sink.
  let rectangles: [Rectangle]
  /// For each, where those up to it end at the latest.
  private let reach: [Int]

  /// - Parameter rectangles: with at least one number each.
  init(_ rectangles: [Rectangle]) {
    self.rectangles = rectangles.sorted { $0.sink.start < $1.sink.start }
    var reach: [Int] = []
    for rectangle in self.rectangles { reach.append(max(reach.last ?? 0, rectangle.sinkExtent.upperBound)) }
    self.reach = reach
  }

  /// Numbers that the map gives.
  var count: Int { rectangles.reduce(0) { $0 + $1.count } }

  /// The parts of rectangles that lie in a range of the sink.
  func forEachPart(
    in range: Range<Int>, _ body: (Rectangle) throws(KistError) -> Void
  ) throws(KistError) {
    var index = reach.partitionPoint { $0 > range.lowerBound }
    while index < rectangles.count, rectangles[index].sink.start < range.upperBound {
      try rectangles[index].forEachPart(inSink: range, body)
      index += 1
    }
  }
}

extension ElementMap.Rectangle {
  /// Calls `body` for what lies in a range of the sink: the lines that do wholly, and parts of lines at its ends.
  fileprivate func forEachPart(
    inSink range: Range<Int>, _ body: (ElementMap.Rectangle) throws(KistError) -> Void
  ) throws(KistError) {
    let reach = (lineLength - 1) * sink.step
    let step = max(sink.lineStep, 1)
    let first = max(0, ceiling(range.lowerBound - sink.start - reach, step))
    let end = min(lineCount, ceiling(range.upperBound - sink.start, step))
    var line = first
    while line < end {
      let start = sink.start + line * sink.lineStep
      if start >= range.lowerBound, start + reach < range.upperBound {
        // This line is whole, and so are others up to the last one that is.
        let whole = max(line + 1, min(end, (range.upperBound - 1 - reach - sink.start) / step + 1))
        try body(lines(line..<whole))
        line = whole
      } else {
        let from = max(0, ceiling(range.lowerBound - start, sink.step))
        let to = min(lineLength, ceiling(range.upperBound - start, sink.step))
        if from < to { try body(lines(line..<line + 1).part(from..<to)) }
        line += 1
      }
    }
  }

  /// Some of the lines.
  func lines(_ range: Range<Int>) -> ElementMap.Rectangle {
    var part = self
    part.lineCount = range.count
    part.sink.start += range.lowerBound * sink.lineStep
    part.source.start += range.lowerBound * source.lineStep
    return part
  }

  /// Some numbers of each line.
  func part(_ range: Range<Int>) -> ElementMap.Rectangle {
    var part = self
    part.lineLength = range.count
    part.sink.start += range.lowerBound * sink.step
    part.source.start += range.lowerBound * source.step
    return part
  }

  /// Cuts the rectangle so that each part lies together in the source: in at most `most` places, few of which are of no use.
  func forEachRead(most: Int, _ body: (ElementMap.Rectangle) throws(KistError) -> Void) throws(KistError) {
    let cutsLines = source.lineStep >= source.step
    let (count, step) = cutsLines ? (lineCount, source.lineStep) : (lineLength, source.step)
    let (otherCount, otherStep) = cutsLines ? (lineLength, source.step) : (lineCount, source.lineStep)
    let slice = (otherCount - 1) * otherStep + 1
    let bound = step <= ElementMap.leastUse * otherCount ? most : min(most, ElementMap.smallRead)
    let fitting = max(1, step > 0 ? (bound - slice) / step + 1 : count)
    for start in stride(from: 0, to: count, by: fitting) {
      let range = start..<min(start + fitting, count)
      let cut = cutsLines ? lines(range) : part(range)
      guard slice > most else {
        try body(cut)
        continue
      }
      let each = max(1, most / otherStep)
      for other in stride(from: 0, to: otherCount, by: each) {
        let range = other..<min(other + each, otherCount)
        try body(cutsLines ? cut.part(range) : cut.lines(range))
      }
    }
  }

  /// Both sides in units of several numbers, where lines are whole units on both.
  func inUnits(of size: Int) -> ElementMap.Rectangle? {
    guard size > 1 else { return self }
    var units = self
    for side in [\ElementMap.Rectangle.sink, \.source] {
      let numbers = self[keyPath: side]
      guard numbers.step == 1, numbers.start % size == 0, lineCount == 1 || numbers.lineStep % size == 0 else {
        return nil
      }
      units[keyPath: side].start /= size
      units[keyPath: side].lineStep /= size
    }
    guard lineLength % size == 0 else { return nil }
    units.lineLength /= size
    return units
  }
}

extension ElementMap {
  /// More places than this for one that is of use are not read in one go.
  fileprivate static let leastUse = 4
  /// So few that they are all the same.
  fileprivate static let smallRead = 2048
}

/// The least multiple count: ⌈value / step⌉, for steps above 0.
private func ceiling(_ value: Int, _ step: Int) -> Int { value > 0 ? (value + step - 1) / step : -(-value / step) }

extension [Int] {
  /// The first index whose element fulfils a condition that all later ones fulfil too.
  fileprivate func partitionPoint(_ condition: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
