import KistCheckpoints
import KistCore

extension ImportanceMatrix {
  private static let datasetsKey = "imatrix.datasets"
  private static let chunkCountKey = "imatrix.chunk_count"
  private static let chunkSizeKey = "imatrix.chunk_size"
  private static let sumsSuffix = ".in_sum2"
  private static let countsSuffix = ".counts"

  /// For each tensor two: `NAME.in_sum2`, [experts, columns], and `NAME.counts`, [experts, 1].
  init(gguf mapped: MappedFile) throws(KistError) {
    let file = try GGUFFile(mapped)
    func size(_ key: String) throws(KistError) -> Int {
      guard let number = try file.value(key)?.integer, let size = Int(exactly: number), size >= 0 else {
        throw KistError(
          .invalid, field: "key '\(key)'", "is missing, so that this is no importance matrix",
          advice: "make one with `kist imatrix` or llama-imatrix")
      }
      return size
    }
    let (chunkCount, chunkSize) = (try size(Self.chunkCountKey), try size(Self.chunkSizeKey))
    var sums: [String: [Float]] = [:]
    var counts: [String: [Int]] = [:]
    for tensor in file.header.tensors {
      guard tensor.dtype == .f32 else {
        throw KistError(.damaged, field: "tensor '\(tensor.name)'", "is \(tensor.dtype), not F32")
      }
      let numbers = unsafe mapped.pointer(tensor.range).numbers(UInt32.self).map { Float(bitPattern: $0) }
      if tensor.name.hasSuffix(Self.sumsSuffix) {
        sums[String(tensor.name.dropLast(Self.sumsSuffix.count))] = numbers
      } else if tensor.name.hasSuffix(Self.countsSuffix) {
        let name = String(tensor.name.dropLast(Self.countsSuffix.count))
        counts[name] = numbers.map { $0.isFinite && $0.magnitude < 0x1p53 ? Int($0.rounded()) : -1 }
      }
    }
    guard !sums.isEmpty else { throw KistError(.invalid, "has no importances (tensors that end .in_sum2)") }
    for name in Set(sums.keys).symmetricDifference(counts.keys).sorted() {
      throw KistError(.damaged, field: "tensor '\(name)'", "has sums or counts, and not both")
    }
    let entries = Dictionary(
      uniqueKeysWithValues: sums.map { ($0.key, Entry(sums: $0.value, counts: counts[$0.key] ?? [])) })
    var datasets: [String] = []
    if case .array(of: .string, let names)? = try file.value(Self.datasetsKey) {
      for case .string(let bytes) in names { datasets.append(String(decoding: bytes, as: UTF8.self)) }
    }
    self.init(entries: entries, datasets: datasets, chunkCount: chunkCount, chunkSize: chunkSize)
  }

  /// The file that llama-imatrix would write.
  public func encodedGGUF() throws(KistError) -> [UInt8] {
    var writer = GGUFWriter()
    try writer.add("general.type", .string("imatrix"))
    try writer.add(Self.datasetsKey, strings: datasets.map { Array($0.utf8) })
    try writer.add(Self.chunkCountKey, .uint32(UInt32(clamping: chunkCount)))
    try writer.add(Self.chunkSizeKey, .uint32(UInt32(clamping: chunkSize)))
    var contents: [[Float]] = []
    for name in names {
      guard let entry = entries[name] else { continue }
      let matrices = entry.counts.count
      let columns = entry.sums.count / max(1, matrices)
      // GGML drops outer dimensions of 1.
      try writer.addTensor(
        name + Self.sumsSuffix, dtype: .f32, shape: Shape(matrices == 1 ? [columns] : [matrices, columns]))
      try writer.addTensor(name + Self.countsSuffix, dtype: .f32, shape: Shape(matrices == 1 ? [1] : [matrices, 1]))
      contents.append(entry.sums)
      contents.append(entry.counts.map { Float($0) })
    }
    let layout = try writer.layOut()
    var bytes = layout.header
    for (range, numbers) in zip(layout.ranges, contents) {
      bytes += [UInt8](repeating: 0, count: range.lowerBound - bytes.count)
      bytes += numbers.littleEndianBytes
    }
    return bytes + [UInt8](repeating: 0, count: layout.fileByteCount - bytes.count)
  }
}
