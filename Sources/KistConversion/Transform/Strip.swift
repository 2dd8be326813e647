import KistArchitectures

/// Rows of a tensor as the forward pass sees them, where they lie evenly apart in a file's tensor.
struct Strip {
  /// Which of the file's tensors; nil for one that is of no interest.
  var tensor: Int?
  var rowCount: Int
  var columnCount: Int
  var start: Int
  /// Numbers of the file from a row to the next, and from a column to the next.
  var rowStep: Int
  var columnStep: Int
  var addend: Float

  func rows(_ range: Range<Int>) -> Strip {
    var strip = self
    strip.start += range.lowerBound * rowStep
    strip.rowCount = range.count
    return strip
  }
}

extension TensorLocation {
  /// The location's rows, in their order.
  func strips(tensor: Int?) -> [Strip] {
    func strip(_ count: Int, start: Int, rowStep: Int, columnStep: Int) -> Strip {
      Strip(
        tensor: tensor, rowCount: count, columnCount: columnCount, start: start, rowStep: rowStep,
        columnStep: columnStep, addend: addend)
    }
    switch order {
    case .rows(let runs):
      return runs.map {
        strip($0.count, start: $0.start * columnCount, rowStep: $0.step * columnCount, columnStep: 1)
      }
    case .columns(let first, let step, let width, let start):
      return [strip(rowCount, start: start * width + first, rowStep: step, columnStep: width)]
    }
  }
}

extension [Strip] {
  mutating func removeFirst(rows count: Int) {
    var left = count
    while left > 0, let first {
      let taken = Swift.min(left, first.rowCount)
      if taken == first.rowCount { removeFirst() } else { self[0] = first.rows(taken..<first.rowCount) }
      left -= taken
    }
  }
}

extension Strip {
  /// The same rows in a source and a sink, in pieces that lie evenly in both.
  static func rectangles(_ source: [Strip], _ sink: [Strip]) -> [ElementMap.Rectangle] {
    var rectangles: [ElementMap.Rectangle] = []
    var (from, to) = (source[...], sink[...])
    while let source = from.first, let sink = to.first {
      let count = min(source.rowCount, sink.rowCount)
      if count > 0, source.columnCount == sink.columnCount, sink.tensor != nil, let tensor = source.tensor {
        rectangles.append(
          ElementMap.Rectangle(
            tensor: tensor, addend: source.addend - sink.addend, lineCount: count, lineLength: source.columnCount,
            sink: sink.side, source: source.side
          ).simplified)
      }
      from.advance(by: count)
      to.advance(by: count)
    }
    return rectangles
  }

  private var side: ElementMap.Rectangle.Side { .init(start: start, lineStep: rowStep, step: columnStep) }
}

extension ArraySlice<Strip> {
  fileprivate mutating func advance(by rows: Int) {
    guard let first else { return }
    if rows == first.rowCount { removeFirst() } else { self[startIndex] = first.rows(rows..<first.rowCount) }
  }
}

extension ElementMap.Rectangle {
  /// The same with lines that lie together in the sink, and as few of them as can be.
  fileprivate var simplified: ElementMap.Rectangle {
    var simple = self
    if lineLength == 1 || (lineCount > 1 && sink.lineStep < sink.step) { simple = simple.transposed }
    if simple.lineCount == 1 { return simple.withSingleLine }
    if simple.sink.lineStep == simple.sink.step * simple.lineLength,
      simple.source.lineStep == simple.source.step * simple.lineLength
    {
      simple.lineLength *= simple.lineCount
      simple.lineCount = 1
      return simple.withSingleLine
    }
    return simple
  }

  private var transposed: ElementMap.Rectangle {
    var other = self
    (other.lineCount, other.lineLength) = (lineLength, lineCount)
    (other.sink.lineStep, other.sink.step) = (sink.step, sink.lineStep)
    (other.source.lineStep, other.source.step) = (source.step, source.lineStep)
    return other
  }

  /// Steps from line to line mean nothing then.
  private var withSingleLine: ElementMap.Rectangle {
    var single = self
    (single.sink.lineStep, single.source.lineStep) = (lineLength * sink.step, lineLength * source.step)
    return single
  }
}
