import KistArchitectures
import KistCheckpoints
import KistCore

/// A tensor of a file as numbers.
private func numbers(_ name: String, _ file: SafetensorsFile) throws -> [Float] {
  guard let tensor = file.header.tensors.first(where: { $0.name == name }) else {
    throw KistError(.missing, field: name, "is no tensor")
  }
  let bytes = file.bytes(of: tensor)
  func each(_ width: Int, _ value: (Int) -> Float) -> [Float] {
    stride(from: 0, to: bytes.byteCount, by: width).map(value)
  }
  func word(_ at: Int) -> UInt16 {
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt16.self)
  }
  switch tensor.dtype.name {
  case "F16": return each(2) { Float(Float16(bitPattern: word($0))) }
  case "BF16": return each(2) { Float(bitPattern: UInt32(word($0)) << 16) }
  default: return each(4) { unsafe bytes.unsafeLoadUnaligned(fromByteOffset: $0, as: Float.self) }
  }
}

/// Where row r, column c of a location lies in its file's tensor, counted in numbers.
private func places(_ location: TensorLocation) -> [Int] {
  switch location.order {
  case .rows(let runs):
    let rows = runs.flatMap { run in (0..<run.count).map { run.start + $0 * run.step } }
    return rows.flatMap { row in (0..<location.columnCount).map { row * location.columnCount + $0 } }
  case .columns(let first, let step, let width, let start):
    return (0..<location.rowCount).flatMap { row in
      (0..<location.columnCount).map { (start + $0) * width + first + row * step }
    }
  }
}

/// The numbers of a tensor that lies in a source, as the forward pass sees them.
private func read(_ key: TensorKey, from model: ModelDescription, _ file: SafetensorsFile) throws -> [Float] {
  try model.locations(of: key).flatMap { location in
    let names = Set(file.header.tensors.map(\.name))
    let values = try numbers(location.names.first(where: names.contains) ?? "", file)
    return places(location).map { values[$0] + location.addend }
  }
}

/// A sink's tensor, of what lies in a source.
func built(
  _ tensor: FileTensor, _ sink: ModelDescription, from source: ModelDescription, _ file: SafetensorsFile
) throws -> [Float] {
  var output = [Float](repeating: .nan, count: tensor.shape.reduce(1, *))
  for key in tensor.keys {
    var values = try read(key, from: source, file)
    // Rows before the first position are left out where the sink has none.
    if key.role == .positionEmbedding {
      values.removeFirst((source.embedding.positionOffset - sink.embedding.positionOffset) * source.width)
    }
    var at = 0
    for location in sink.locations(of: key) {
      let places = places(location)
      if location.names[0] == tensor.name {
        for (index, place) in places.enumerated() { output[place] = values[at + index] - location.addend }
      }
      at += places.count
    }
  }
  return output
}

/// Numbers as a ggml type has them.
func encoded(_ values: [Float], as type: String) -> [UInt8] {
  switch type {
  case "F16": values.flatMap { littleEndian(Float16($0).bitPattern) }
  case "BF16": values.flatMap { littleEndian(UInt16(truncatingIfNeeded: $0.bitPattern >> 16)) }
  default: values.flatMap { littleEndian($0.bitPattern) }
  }
}

private func littleEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> Word(8 * $0)) }
}

/// MXFP4 as ggml has it: of each block the scale, then 16 bytes whose low halves are the first 16 numbers.
func repacked(_ tensor: FileTensor, from source: ModelDescription, _ file: SafetensorsFile) throws -> [UInt8] {
  func bytes(_ name: String) -> [UInt8] {
    guard let found = file.header.tensors.first(where: { $0.name == name }) else { return [] }
    let span = file.bytes(of: found)
    return (0..<span.byteCount).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
  }
  var output: [UInt8] = []
  for key in tensor.keys {
    guard let location = source.location(of: key), case .mxfp4(let scales, _) = location.encoding,
      case .rows(let runs) = location.order
    else { throw KistError(.missing, field: "\(key)", "is not packed") }
    let (blocks, exponents) = (bytes(location.names[0]), bytes(scales[0]))
    let perRow = location.columnCount / DType.mxfp4.unitElementCount
    for run in runs {
      for row in 0..<run.count {
        let first = (run.start + row * run.step) * perRow
        for block in first..<first + perRow {
          let numbers = blocks[block * 16..<block * 16 + 16].flatMap { [$0 & 15, $0 >> 4] }
          output.append(exponents[block])
          output += (0..<16).map { numbers[$0] | numbers[$0 + 16] << 4 }
        }
      }
    }
  }
  return output
}
