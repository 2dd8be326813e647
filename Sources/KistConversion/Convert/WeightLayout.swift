import KistCheckpoints
import KistCore
import KistFormat

/// A file of weights to be written: its header, and where each tensor's data goes.
struct WeightLayout {
  /// Relative to the folder that is written.
  var path: String
  var header: [UInt8]
  var pieces: [Piece]
  /// What else is not zero between and after the tensors, or makes up the file's length.
  var fillings: [(offset: Int, bytes: ArraySlice<UInt8>)] = []
  var byteCount: Int
  /// Whether the header is the very bytes that came in.
  var isVerbatim: Bool

  struct Piece {
    var tensor: CheckpointTensor
    var offset: Int
  }

  /// The file as it came in, when its header names exactly these tensors as they are; else nil.
  static func verbatim(_ file: WeightFile, tensors: [CheckpointTensor]) throws(KistError) -> WeightLayout? {
    let bytes = try file.header()
    guard let header = try? SafetensorsHeader(detached: bytes), header.tensors.count == tensors.count else {
      return nil
    }
    var byName: [[UInt8]: CheckpointTensor] = [:]
    for tensor in tensors { byName[Array(tensor.name.utf8)] = tensor }
    var pieces: [Piece] = []
    for expected in header.tensors {
      guard let tensor = byName[Array(expected.name.utf8)], tensor.dtype == expected.dtype,
        tensor.shape == expected.shape
      else { return nil }
      pieces.append(Piece(tensor: tensor, offset: expected.range.lowerBound))
    }
    return WeightLayout(
      path: file.path, header: bytes, pieces: pieces, byteCount: header.tensors.last?.range.upperBound ?? bytes.count,
      isVerbatim: true)
  }

  /// A file with a header of our own, in the order that the safetensors library would give it.
  ///
  /// - Throws: `unsupported` for a dtype that safetensors does not have.
  static func fresh(
    path: String, tensors: [CheckpointTensor], metadata: Metadata, source: String
  ) throws(KistError) -> WeightLayout {
    let described = try tensors.map { tensor throws(KistError) in
      guard let dtype = tensor.dtype else {
        throw KistError(
          .unsupported, file: source, field: "tensor '\(tensor.name)'", "has a dtype that this Kist does not know",
          advice: "use a newer Kist")
      }
      guard !dtype.isBlockType else {
        throw KistError(
          .unsupported, file: source, field: "tensor '\(tensor.name)'",
          "is of GGML's block type \(dtype), which safetensors does not have",
          advice: "write a .kist or .gguf file, or take other tensors with --tensors")
      }
      return SafetensorsHeader.Description(name: tensor.name, dtype: dtype, shape: tensor.shape)
    }
    let items = metadata.items.filter { !$0.value.isPartial }.map { item in
      SafetensorsHeader.MetadataItem(key: item.key, value: "\(item.value)")
    }
    let layout = try SafetensorsHeader.layOut(described, metadata: items)
    let pieces = layout.order.map { Piece(tensor: tensors[$0.index], offset: $0.range.lowerBound) }
    return WeightLayout(
      path: path, header: layout.bytes, pieces: pieces, byteCount: layout.fileByteCount, isVerbatim: false)
  }

  /// Writes header and data. Pieces go to their places from several threads; nothing waits for its turn.
  ///
  /// - Parameter journal: What is there already, and where pieces are noted.
  func write(
    to output: any FileOutput, _ parallelism: Parallelism, _ progress: any ProgressObserver,
    journal: JournaledFile? = nil
  ) throws(KistError) {
    try output.write(header, at: 0)
    for filling in fillings { try output.write(Array(filling.bytes), at: filling.offset) }
    var jobs: [(piece: Int, range: Range<Int>)] = []
    for (index, piece) in pieces.enumerated() {
      let size = Layout.rawBytesPerChunk(unit: piece.tensor.dtype?.unitByteCount ?? 1)
      for start in stride(from: 0, to: piece.tensor.byteCount, by: size) {
        jobs.append((index, start..<min(start + size, piece.tensor.byteCount)))
      }
    }
    let readAhead = readAhead(of: jobs, journal)
    try parallelism.forEach(jobs.count) { number throws(KistError) in
      let piece = pieces[jobs[number].piece]
      let range = jobs[number].range
      readAhead.reads(range.count)
      let place = piece.offset + range.lowerBound..<piece.offset + range.upperBound
      if journal?.has(number, place) == true { return progress.advance(by: range.count) }
      unsafe try piece.tensor.source.withBytes(range) { bytes throws(KistError) in
        unsafe try output.write(bytes, at: place.lowerBound)
        if let journal { try journal.add(number, hash: unsafe xxh3(bytes)) }
      }
      piece.tensor.source.release(range)
      progress.advance(by: range.count)
    }
  }

  /// Tells the sources of the pieces, save for those that an earlier run seems to have written.
  private func readAhead(of jobs: [(piece: Int, range: Range<Int>)], _ journal: JournaledFile?) -> ReadAhead {
    var next = 0
    return ReadAhead {
      guard next < jobs.count else { return nil }
      defer { next += 1 }
      if journal?.knows(next) != true { pieces[jobs[next].piece].tensor.source.willRead(jobs[next].range) }
      return jobs[next].range.count
    }
  }
}
