import KistCore

/// llama.cpp's file before it was a GGUF: i32 entries; for each i32 length, name, i32 calls, i32 values, f32 × values; then i32 chunks,
/// i32 length and the name of the text. Values are means times calls; numbers are little-endian.
extension ImportanceMatrix {
  init(legacy file: MappedFile) throws(KistError) {
    var reader = unsafe LegacyReader(file.pointer(0..<file.count))
    let count = try reader.count("number of entries", atLeast: 1)
    var entries: [String: Entry] = [:]
    for index in 0..<count {
      let name = try reader.text("entry \(index)")
      let calls = try reader.count("entry '\(name)': calls", atLeast: 0)
      let values = try reader.floats("entry '\(name)'")
      // What is kept is sums and counts: the same quotient.
      entries[name] = Entry(sums: values, counts: [max(1, calls)])
    }
    var (chunkCount, datasets): (Int, [String]) = (0, [])
    if !reader.isAtEnd {
      chunkCount = try reader.count("number of chunks", atLeast: 0)
      let name = reader.isAtEnd ? "" : try reader.text("text")
      if !name.isEmpty { datasets = [name] }
    }
    self.init(entries: entries, datasets: datasets, chunkCount: chunkCount, chunkSize: 0)
  }

  /// The older file. Tensors that no token reached are left out, as llama.cpp does.
  public func encodedLegacy() -> [UInt8] {
    var bytes: [UInt8] = []
    func append(_ number: Int) {
      let bits = UInt32(bitPattern: Int32(clamping: number))
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
    let stored = names.filter { (entries[$0]?.counts.max() ?? 0) > 0 }
    append(stored.count)
    for name in stored {
      guard let entry = entries[name] else { continue }
      append(name.utf8.count)
      bytes += Array(name.utf8)
      let size = max(1, chunkSize)
      let calls = ((entry.counts.max() ?? 0) + size - 1) / size
      append(calls)
      append(entry.sums.count)
      bytes += entry.weights.map { $0 * Float(calls) }.littleEndianBytes
    }
    append(chunkCount)
    let name = datasets.last ?? ""
    append(name.utf8.count)
    return bytes + Array(name.utf8)
  }
}

/// Reads numbers whose places nothing guarantees.
@safe private struct LegacyReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  var isAtEnd: Bool { unsafe position == bytes.count }

  private mutating func take(_ count: Int, _ field: String) throws(KistError) -> UnsafeRawBufferPointer {
    guard unsafe count <= bytes.count - position else {
      throw KistError(
        .invalid, field: field, offset: position, "runs past the end of the file: this is no importance matrix")
    }
    defer { position += count }
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  mutating func count(_ field: String, atLeast least: Int) throws(KistError) -> Int {
    let number = unsafe try take(4, field).numbers(Int32.self)[0]
    guard number >= least else {
      throw KistError(
        .invalid, field: field, offset: position - 4, "is \(number), which no importance matrix has")
    }
    return Int(number)
  }

  mutating func text(_ field: String) throws(KistError) -> String {
    let length = try count(field + ": length of the name", atLeast: 0)
    return unsafe String(decoding: try take(length, field), as: UTF8.self)
  }

  mutating func floats(_ field: String) throws(KistError) -> [Float] {
    let length = try count(field + ": number of values", atLeast: 1)
    return unsafe try take(4 * length, field).numbers(UInt32.self).map { Float(bitPattern: $0) }
  }
}
