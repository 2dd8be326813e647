import KistCore
import KistQuantization

/// Numbers of a tensor, whatever they are stored as: what a conversion computes with.
///
/// May be read in any order by several threads at a time.
package protocol ElementSource: Sendable {
  var shape: Shape { get }

  /// Writes elements, counted in row-major order, as f32.
  ///
  /// - Parameter values: room for `elements.count` numbers.
  func read(_ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) throws(KistError)

  /// Says that elements are going to be read soon.
  func willRead(_ elements: Range<Int>)

  /// Says that elements are not needed any more.
  func release(_ elements: Range<Int>)
}

extension ElementSource {
  package var elementCount: Int { shape.elementCount ?? 0 }
  /// Numbers of a row: the last dimension.
  package var columnCount: Int { shape.dimensions.last ?? 1 }
  package func willRead(_ elements: Range<Int>) {}
  package func release(_ elements: Range<Int>) {}
}

/// The numbers of a tensor as it lies in its checkpoint.
package struct StoredElements: ElementSource {
  package let shape: Shape
  private let source: any ByteSource
  private let decoder: RowDecoder

  /// - Throws: `unsupported` for a dtype that is no real number; `damaged` when shape and content do not go together.
  package init(_ tensor: CheckpointTensor, file: String) throws(KistError) {
    guard let dtype = tensor.dtype, let decoder = RowDecoder(dtype) else {
      throw KistError(
        .unsupported, file: file, field: "tensor '\(tensor.name)'",
        "\(tensor.dtype?.name ?? "an unknown dtype") can't be read as numbers")
    }
    guard let count = tensor.shape.elementCount, dtype.byteCount(ofElements: count) == tensor.byteCount else {
      throw KistError(
        .damaged, file: file, field: "tensor '\(tensor.name)'", "has not the bytes that its shape asks for")
    }
    shape = tensor.shape
    source = tensor.source
    self.decoder = decoder
  }

  package func read(_ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    let unit = decoder.dtype.unitElementCount
    let whole = elements.lowerBound / unit * unit..<(elements.upperBound + unit - 1) / unit * unit
    guard whole != elements else { return unsafe try readUnits(elements, into: values) }
    // Begins or ends inside a block.
    var numbers = [Float](repeating: 0, count: whole.count)
    let result = unsafe numbers.withUnsafeMutableBufferPointer { buffer in
      Result { () throws(KistError) in
        guard let base = buffer.baseAddress else { return }
        unsafe try readUnits(whole, into: base)
        unsafe values.update(from: base + (elements.lowerBound - whole.lowerBound), count: elements.count)
      }
    }
    try result.get()
  }

  private func readUnits(_ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    let unit = decoder.dtype.unitByteCount
    let most = (1 << 20) / unit * unit
    let bytes = byteRange(elements)
    var output = unsafe values
    for start in stride(from: bytes.lowerBound, to: bytes.upperBound, by: most) {
      let part = start..<min(start + most, bytes.upperBound)
      let count = part.count / unit * decoder.dtype.unitElementCount
      let target = unsafe output
      unsafe try source.withBytes(part) { bytes throws(KistError) in
        if let base = bytes.baseAddress { unsafe decoder.decode(base, count: count, into: target) }
      }
      unsafe output += count
    }
  }

  package func willRead(_ elements: Range<Int>) { source.willRead(byteRange(elements)) }

  package func release(_ elements: Range<Int>) { source.release(byteRange(elements)) }

  private func byteRange(_ elements: Range<Int>) -> Range<Int> {
    decoder.byteCount(of: elements.lowerBound)..<decoder.byteCount(of: elements.upperBound)
  }
}
