import KistArchitectures
import KistCore
import KistQuantization

/// A stored matrix (or vector, of one column), read a tile at a time as f32.
struct WeightMatrix: Sendable {
  /// What the file calls the tensor.
  let name: String
  let dtype: DType
  let location: TensorLocation
  let source: any ByteSource
  let file: String
  let decoder: RowDecoder
  /// The exponents of MXFP4 blocks that lie in a tensor of their own.
  private let scales: (any ByteSource)?

  var rowCount: Int { location.rowCount }
  var columnCount: Int { location.columnCount }
  /// Numbers of a row of the file.
  var fileColumnCount: Int {
    if case .columns(_, _, let width, _) = location.order { width } else { columnCount }
  }
  /// Bytes of a row of the file.
  var fileRowByteCount: Int { scales == nil ? decoder.byteCount(of: fileColumnCount) : columnCount / 2 }
  /// The dtype that says how the values were rounded.
  var storedDType: DType { scales == nil ? dtype : .mxfp4 }

  init(
    _ tensor: WeightTensor, _ location: TensorLocation, scales: WeightTensor? = nil, file: String
  ) throws(KistError) {
    name = tensor.name
    self.location = location
    source = tensor.source
    self.file = file
    self.scales = scales?.source
    func wrong(_ kind: KistError.Kind, _ problem: String) -> KistError {
      KistError(kind, file: file, field: "tensor '\(tensor.name)'", problem)
    }
    guard let dtype = tensor.dtype, let decoder = RowDecoder(dtype) else {
      throw wrong(.unsupported, "\(tensor.dtype?.name ?? "an unknown dtype") is nothing that can be computed with")
    }
    self.dtype = dtype
    self.decoder = decoder
    guard tensor.shape.dimensions == location.fileShape else {
      throw wrong(
        .damaged, "has shape \(tensor.shape.dimensions), and the configuration asks for \(location.fileShape)")
    }
    if case .mxfp4(_, let shape) = location.encoding {
      guard dtype == .u8, scales?.dtype == .u8, scales?.shape.dimensions == shape else {
        throw wrong(.damaged, "is not U8 with scales of shape \(shape)")
      }
    }
    guard fileColumnCount % dtype.unitElementCount == 0, let count = tensor.shape.elementCount,
      dtype.byteCount(ofElements: count) == source.byteCount
    else { throw wrong(.unsupported, "has rows that do not begin at whole \(dtype) blocks") }
  }

  /// Adjacent rows of the file that become adjacent rows of the matrix, at most `most` at a time.
  ///
  /// For matrices that lie transposed, rows are those of the file: the matrix' columns.
  func tiles(most: Int, rows: Range<Int>? = nil) -> [Tile] {
    var tiles: [Tile] = []
    func append(_ first: Int, _ start: Int, _ count: Int, _ step: Int) {
      for offset in stride(from: 0, to: count, by: max(1, most)) {
        let part = min(max(1, most), count - offset)
        tiles.append(Tile(first: first + offset, fileRow: start + offset * step, count: part, step: step))
      }
    }
    switch location.order {
    case .columns(_, _, _, let start): append(0, start, columnCount, 1)
    case .rows(let runs):
      var first = 0
      for run in runs {
        let wanted = (first..<first + run.count).clamped(to: rows ?? 0..<rowCount)
        if !wanted.isEmpty {
          append(wanted.lowerBound, run.start + (wanted.lowerBound - first) * run.step, wanted.count, run.step)
        }
        first += run.count
      }
    }
    return tiles
  }

  struct Tile: Sendable {
    /// The first row (of transposed matrices: column) that it holds.
    var first: Int
    var fileRow: Int
    var count: Int
    /// Rows of the file from one to the next.
    var step: Int
  }

  /// Rows of the file that go into a tile of about 1 MiB, as stored and as f32 at most 4 MiB.
  var tileRowCount: Int { max(1, min((1 << 20) / max(1, fileRowByteCount), (1 << 20) / max(1, fileColumnCount))) }

  /// Writes the rows of a tile as f32, one after the other.
  func decode(_ tile: Tile, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    if tile.step == 1 {
      unsafe try decodeRows(tile.fileRow, tile.count, into: values)
    } else {
      for index in 0..<tile.count {
        unsafe try decodeRows(tile.fileRow + index * tile.step, 1, into: values + index * fileColumnCount)
      }
    }
    guard location.addend != 0 else { return }
    for index in 0..<tile.count * fileColumnCount { unsafe values[index] += location.addend }
  }

  /// E2M1, two in a byte, times a power of two for each 32. Source: OCP Microscaling Formats 1.0, section 5.3.
  private func decodeBlocks(
    _ row: Int, _ count: Int, _ scales: any ByteSource, into values: UnsafeMutablePointer<Float>
  ) throws(KistError) {
    let size = DType.mxfp4.unitElementCount
    let blocks = columnCount / size
    for index in 0..<count {
      let first = (row + index) * blocks
      let output = unsafe values + index * columnCount
      unsafe try scales.withBytes(first..<first + blocks) { exponents throws(KistError) in
        unsafe try source.withBytes(first * size / 2..<(first + blocks) * size / 2) { numbers throws(KistError) in
          for place in 0..<columnCount {
            let pattern = unsafe numbers[place / 2] >> (4 * UInt8(place % 2)) & 15
            let scale = unsafe MiniFloat.f8e8m0.decode(UInt16(exponents[place / size]))
            unsafe output[place] = MiniFloat.f4.decode(UInt16(pattern)) * scale
          }
        }
      }
    }
  }

  private func decodeRows(_ row: Int, _ count: Int, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    if let scales { return unsafe try decodeBlocks(row, count, scales, into: values) }
    let unit = dtype.unitByteCount
    let most = (1 << 20) / unit * unit
    let all = row * fileRowByteCount..<(row + count) * fileRowByteCount
    var output = unsafe values
    for start in stride(from: all.lowerBound, to: all.upperBound, by: most) {
      let part = start..<min(start + most, all.upperBound)
      let elements = part.count / unit * dtype.unitElementCount
      let target = unsafe output
      unsafe try source.withBytes(part) { bytes throws(KistError) in
        guard let base = bytes.baseAddress else { return }
        unsafe decoder.decode(base, count: elements, into: target)
      }
      unsafe output += elements
    }
  }

  /// All numbers, as a list of rows.
  func numbers() throws(KistError) -> [Float] {
    var numbers = [Float](repeating: 0, count: rowCount * columnCount)
    guard case .rows = location.order else {
      throw KistError(.unsupported, file: file, field: "tensor '\(name)'", "lies transposed where a vector is expected")
    }
    for tile in tiles(most: rowCount) {
      let result = unsafe numbers.withUnsafeMutableBufferPointer { buffer in
        Result { () throws(KistError) in
          guard let base = buffer.baseAddress else { return }
          unsafe try decode(tile, into: base + tile.first * columnCount)
        }
      }
      try result.get()
    }
    release()
    return numbers
  }

  /// Says that a tile is not needed for now.
  func release(_ tile: Tile) {
    guard tile.step == 1 else { return }
    source.release(tile.fileRow * fileRowByteCount..<(tile.fileRow + tile.count) * fileRowByteCount)
  }

  /// Says that the weights are not needed for now.
  func release() { source.release(0..<source.byteCount) }
}
