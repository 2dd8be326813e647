import KistCore

/// Numbers times scales that each hold for a block of rows and columns: FP8 and int8 checkpoints.
struct ScaledElements: ElementSource {
  let values: StoredElements
  /// [block rows, block columns], row-major.
  let scales: [Float]
  let blockRows: Int
  let blockColumns: Int

  var shape: Shape { values.shape }
  private var scalesPerRow: Int { (columnCount + blockColumns - 1) / blockColumns }

  func read(_ elements: Range<Int>, into output: UnsafeMutablePointer<Float>) throws(KistError) {
    unsafe try values.read(elements, into: output)
    let columns = columnCount
    for element in elements {
      let (row, column) = (element / columns, element % columns)
      unsafe output[element - elements.lowerBound] *=
        scales[row / blockRows * scalesPerRow + column / blockColumns]
    }
  }

  func release(_ elements: Range<Int>) { values.release(elements) }
}

/// 4-bit codes of a table of 16 numbers, two in a byte, the first in the high bits, with a scale for each run of numbers.
///
/// Source: bitsandbytes 0.50, functional.py, dequantize_4bit.
struct TableElements: ElementSource {
  let shape: Shape
  let codes: any ByteSource
  /// [16]
  let table: [Float]
  /// One for each `blockSize` numbers.
  let scales: [Float]
  let blockSize: Int

  func read(_ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    var start = elements.lowerBound
    while start < elements.upperBound {
      let end = min(elements.upperBound, (start / 2 + 1 << 20) * 2)
      let bytes = start / 2..<(end + 1) / 2
      unsafe try codes.withBytes(bytes) { content throws(KistError) in
        for element in start..<end {
          let byte = unsafe content[element / 2 - bytes.lowerBound]
          let code = element % 2 == 0 ? byte >> 4 : byte & 15
          unsafe values[element - elements.lowerBound] = table[Int(code)] * scales[element / blockSize]
        }
      }
      start = end
    }
  }

  func release(_ elements: Range<Int>) { codes.release(elements.lowerBound / 2..<elements.upperBound / 2) }
}
