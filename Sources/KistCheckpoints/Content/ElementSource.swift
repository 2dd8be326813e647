import KistCore

/// The elements of a tensor, row-major and little-endian, however they lie in their content. Where they lie so already nothing is copied.
package struct ElementSource: ByteSource {
  private let content: any StoredContent
  private let layout: ElementLayout
  /// For large tensors whose elements do not lie in their order.
  private let bands: ElementBands?

  /// From here on parts of a tensor that come from all over it would keep too much of the file in memory.
  private static let largeByteCount = 8 << 20

  /// - Parameter layout: One that was checked against the content's length.
  package init(_ content: any StoredContent, _ layout: ElementLayout) {
    precondition(layout.extent.upperBound <= content.byteCount, "a layout lies inside its content")
    self.content = content
    self.layout = layout
    bands = !layout.isPlain && layout.extent.count > Self.largeByteCount ? ElementBands(layout) : nil
  }

  package var byteCount: Int { layout.byteCount }

  package func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    guard !range.isEmpty else { return unsafe try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let part = try content.mapped()
    if layout.isPlain {
      let start = layout.offset + range.lowerBound
      unsafe try body(UnsafeRawBufferPointer(rebasing: part.pointer[start..<start + range.count]))
      return try part.file.checkIntact()
    }
    // Whole elements around the range, which may begin and end inside of one.
    let elements = range.lowerBound / layout.width..<(range.upperBound + layout.width - 1) / layout.width
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: elements.count * layout.width, alignment: 64)
    defer { unsafe buffer.deallocate() }
    if let bands {
      unsafe bands.copy(elements, from: part, into: buffer)
    } else {
      unsafe layout.gather(elements, from: part.pointer, into: buffer)
    }
    try part.file.checkIntact()
    let start = range.lowerBound - elements.lowerBound * layout.width
    unsafe try body(UnsafeRawBufferPointer(rebasing: buffer[start..<start + range.count]))
  }

  package func release(_ range: Range<Int>) {
    let isEnd = range.upperBound == byteCount
    if layout.isPlain {
      content.release(layout.offset + range.lowerBound..<layout.offset + range.upperBound)
    } else if isEnd {
      content.release(layout.extent)
    }
    if isEnd {
      bands?.forget()
      content.forget()
    }
  }
}

extension ElementLayout {
  /// Copies elements from where they lie, in row-major order, and turns their bytes around where that is needed.
  ///
  /// - Parameters:
  ///   - elements: Which, counted in row-major order.
  ///   - bytes: What the layout was checked against.
  ///   - output: `elements.count × width` bytes, overwritten.
  /// - Complexity: one copy of each element; the last dimension is the inner loop.
  func gather(_ elements: Range<Int>, from bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
    guard let source = bytes.baseAddress, var target = output.baseAddress else { return }
    var position = [Int](repeating: 0, count: max(sizes.count, 1))
    let sizes = self.sizes.isEmpty ? [1] : self.sizes
    let steps = self.steps.isEmpty ? [width] : self.steps
    var rest = elements.lowerBound
    for axis in sizes.indices.reversed() {
      position[axis] = rest % sizes[axis]
      rest /= sizes[axis]
    }
    let last = sizes.count - 1
    var left = elements.count
    while left > 0 {
      let start = zip(position, steps).reduce(offset) { $0 + $1.0 * $1.1 }
      let count = min(sizes[last] - position[last], left)
      unsafe copyRun(of: count, from: source + start, step: steps[last], to: target, step: width)
      unsafe target += count * width
      left -= count
      position[last] = 0
      for axis in sizes.indices.dropLast().reversed() {
        position[axis] += 1
        if position[axis] < sizes[axis] { break }
        position[axis] = 0
      }
    }
    unsafe swapBytes(output)
  }

  /// Copies elements from places a step apart to places another step apart, both in bytes.
  func copyRun(
    of count: Int, from source: UnsafeRawPointer, step: Int, to target: UnsafeMutableRawPointer, step targetStep: Int
  ) {
    if step == width, targetStep == width {
      return unsafe target.copyMemory(from: source, byteCount: count * width)
    }
    switch width {
    case 1: unsafe copyElements(UInt8.self, count, source, step, target, targetStep)
    case 2: unsafe copyElements(UInt16.self, count, source, step, target, targetStep)
    case 4: unsafe copyElements(UInt32.self, count, source, step, target, targetStep)
    case 8: unsafe copyElements(UInt64.self, count, source, step, target, targetStep)
    default:
      for index in 0..<count {
        unsafe (target + index * targetStep).copyMemory(from: source + index * step, byteCount: width)
      }
    }
  }

  private func copyElements<Element: BitwiseCopyable>(
    _ type: Element.Type, _ count: Int, _ source: UnsafeRawPointer, _ step: Int, _ target: UnsafeMutableRawPointer,
    _ targetStep: Int
  ) {
    for index in 0..<count {
      let element = unsafe source.loadUnaligned(fromByteOffset: index &* step, as: type)
      unsafe target.storeBytes(of: element, toByteOffset: index &* targetStep, as: type)
    }
  }

  /// Turns the bytes of all numbers around, where the layout asks for it.
  func swapBytes(_ bytes: UnsafeMutableRawBufferPointer) {
    switch swapWidth {
    case 2: unsafe swapNumbers(bytes, UInt16.self)
    case 4: unsafe swapNumbers(bytes, UInt32.self)
    case 8: unsafe swapNumbers(bytes, UInt64.self)
    default: break
    }
  }

  private func swapNumbers<Number: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeMutableRawBufferPointer, _ type: Number.Type
  ) {
    for start in stride(from: 0, to: bytes.count, by: MemoryLayout<Number>.size) {
      let number = unsafe bytes.loadUnaligned(fromByteOffset: start, as: type)
      unsafe bytes.storeBytes(of: number.byteSwapped, toByteOffset: start, as: type)
    }
  }
}
