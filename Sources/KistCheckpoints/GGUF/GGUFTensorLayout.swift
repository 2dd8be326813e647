import KistCore

/// A tensor as the header of a GGUF lists it.
struct GGUFTensorInfo {
  var name: String
  var dtype: DType
  var shape: Shape
  var byteCount: Int
  /// From where the data begins.
  var offset: Int
  /// Where the header lists it.
  var place: Int
}

extension GGUFHeader {
  static func tensorInfos(
    _ count: Int, _ cursor: inout GGUFCursor, alignment: Int
  ) throws(KistError) -> [GGUFTensorInfo] {
    var infos: [GGUFTensorInfo] = []
    var seen: Set<NameBytes> = []
    for index in 0..<count {
      let place = cursor.offset
      let name = try cursor.name("tensor \(index): name")
      guard seen.insert(NameBytes(name)).inserted else {
        throw KistError(.damaged, field: "tensor '\(name)'", offset: place, "duplicate: it is there twice")
      }
      let shape = try shape(of: name, &cursor)
      let typePlace = cursor.offset
      let type = try cursor.number(UInt32.self, "tensor '\(name)': type")
      let dtype: DType
      do throws(KistError) { dtype = try DType(ggmlType: type) } catch {
        throw KistError(
          error.kind, field: "tensor '\(name)': type", offset: typePlace, error.problem, advice: error.advice)
      }
      let byteCount = try byteCount(of: name, shape, dtype, place: place)
      let offset = try cursor.number(UInt64.self, "tensor '\(name)': offset")
      guard offset <= UInt64(Int.max), Int(offset) % alignment == 0 else {
        throw KistError(
          .damaged, field: "tensor '\(name)': offset", offset: cursor.offset - 8,
          "\(offset) is no multiple of the alignment, \(alignment), or past the end of any file")
      }
      infos.append(
        GGUFTensorInfo(
          name: name, dtype: dtype, shape: shape, byteCount: byteCount, offset: Int(offset), place: place))
    }
    return infos
  }

  /// The dimensions, turned around: the file has the fastest first.
  private static func shape(of name: String, _ cursor: inout GGUFCursor) throws(KistError) -> Shape {
    let place = cursor.offset
    let rank = try cursor.number(UInt32.self, "tensor '\(name)': dimension count")
    guard rank <= UInt32(maximumRank) else {
      throw KistError(
        .unsupported, field: "tensor '\(name)': dimension count", offset: place,
        "\(rank) is more than \(maximumRank)")
    }
    var dimensions: [Int] = []
    for axis in 0..<Int(rank) {
      let size = try cursor.number(UInt64.self, "tensor '\(name)': dimension \(axis)")
      guard size <= UInt64(Int.max) else {
        throw KistError(
          .damaged, field: "tensor '\(name)': dimension \(axis)", offset: cursor.offset - 8,
          "\(size) is more than any tensor has")
      }
      dimensions.append(Int(size))
    }
    return Shape(dimensions.reversed())
  }

  private static func byteCount(
    of name: String, _ shape: Shape, _ dtype: DType, place: Int
  ) throws(KistError) -> Int {
    let row = shape.dimensions.last ?? 1
    guard row % dtype.unitElementCount == 0 else {
      throw KistError(
        .damaged, field: "tensor '\(name)': shape", offset: place,
        "rows of \(row) elements are not whole blocks of \(dtype), which have \(dtype.unitElementCount)")
    }
    guard let count = shape.elementCount.flatMap(dtype.byteCount(ofElements:)) else {
      throw KistError(
        .damaged, field: "tensor '\(name)': shape", offset: place, "the product of \(shape) of \(dtype) overflows")
    }
    return count
  }
}

/// Where the tensors of a GGUF lie, after checking that they lie in the file and apart from each other.
struct GGUFTensorLayout {
  private(set) var tensors: [GGUFHeader.Tensor] = []
  /// What is between and around them.
  private(set) var outside: [Range<Int>] = []

  /// - Parameter headerByteCount: Where the list of tensors ends.
  init(_ infos: [GGUFTensorInfo], headerByteCount: Int, alignment: Int, fileByteCount: Int) throws(KistError) {
    let start = (headerByteCount + alignment - 1) / alignment * alignment
    for info in infos {
      let (lower, overflow) = start.addingReportingOverflow(info.offset)
      let (upper, overflowToo) = lower.addingReportingOverflow(info.byteCount)
      guard !overflow, !overflowToo, upper <= fileByteCount else {
        throw KistError(
          .damaged, field: "tensor '\(info.name)': offset", offset: info.place,
          "\(info.byteCount) bytes from \(info.offset) of the data on lie outside of the file, "
            + "which has \(fileByteCount)", advice: "if the file was cut short, fetch it again")
      }
      tensors.append(
        GGUFHeader.Tensor(name: info.name, dtype: info.dtype, shape: info.shape, range: lower..<upper))
    }
    outside = try GGUFTensorLayout.outside(tensors, fileByteCount: fileByteCount)
  }

  private static func outside(_ tensors: [GGUFHeader.Tensor], fileByteCount: Int) throws(KistError) -> [Range<Int>] {
    let filled = tensors.filter { !$0.range.isEmpty }
    let sorted = filled.sorted { $0.range.lowerBound < $1.range.lowerBound }
    var outside: [Range<Int>] = []
    var end = 0
    for tensor in sorted {
      guard tensor.range.lowerBound >= end else {
        throw KistError(
          .damaged, field: "tensor '\(tensor.name)': offset", offset: tensor.range.lowerBound,
          "overlaps another tensor")
      }
      if tensor.range.lowerBound > end { outside.append(end..<tensor.range.lowerBound) }
      end = tensor.range.upperBound
    }
    if end < fileByteCount { outside.append(end..<fileByteCount) }
    guard outside.reduce(0, { $0 + $1.count }) <= GGUFHeader.maximumByteCount else {
      throw KistError(
        .unsupported, field: "header", "more than \(GGUFHeader.maximumByteCount) bytes belong to no tensor")
    }
    return outside
  }
}
