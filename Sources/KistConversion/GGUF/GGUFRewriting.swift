import KistCheckpoints
import KistCore
import KistFormat

/// New headers for GGUF files whose metadata or tensors are not those that came in: what did not change stays as it was, in its place.
struct GGUFRewriting {
  var headers: [GGUFFile]
  /// The key-values as they are to be.
  var metadata: Metadata
  /// As the headers have them.
  var original: Metadata
  var tensors: [CheckpointTensor]
  /// Keys that are written after all others, whatever was there: as llama.cpp writes keys that it sets.
  var renewed: [(key: String, value: GGUFValue)] = []
  /// Whether tensors stand in the order in which they are given, and not where they stood.
  var keepsOrder = false

  private static let tensorCountKey = "split.tensors.count"
  private static let splitKeys = ["split.no", "split.count", tensorCountKey]

  /// All parts as one file, or as several that are divided anew.
  ///
  /// - Parameter shardByteCount: Of tensors in each; nil for one file.
  func merged(shardByteCount: Int?) throws(KistError) -> [WeightLayout] {
    var writer = GGUFWriter(
      alignment: try alignment(), version: keepsOrder ? 3 : headers.first?.header.version ?? 3)
    var seen: Set<[UInt8]> = []
    for header in headers {
      for item in header.header.items where !isAny(of: Self.splitKeys + renewed.map(\.key), item.key) {
        if seen.insert(Array(item.key.utf8)).inserted { try add(item, of: header, to: &writer) }
      }
    }
    try addNewKeys(to: &writer)
    let ordered = try add(tensors, listed: headers.flatMap(\.header.tensors), to: &writer)
    return try WeightLayout.gguf(writer, ordered, shardByteCount: shardByteCount)
  }

  /// One of several parts, or the only one.
  ///
  /// - Parameter tensors: Those of this part.
  func part(_ index: Int, tensors: [CheckpointTensor]) throws(KistError) -> WeightLayout {
    let file = headers[index]
    var writer = GGUFWriter(alignment: try alignment(), version: file.header.version)
    for item in file.header.items {
      if headers.count > 1, isAny(of: [Self.tensorCountKey], item.key) {
        try writer.add(item.key, .int32(Int32(clamping: self.tensors.count)))
      } else if isFirst(index, item.key) {
        try add(item, of: file, to: &writer)
      } else {
        // What a key says in a later part, the first that has it does not speak for.
        try writer.add(item, of: file)
      }
    }
    if index == 0 { try addNewKeys(to: &writer) }
    let ordered = try add(tensors, listed: file.header.tensors, to: &writer)
    return WeightLayout(gguf: try writer.layOut(), ordered[...])
  }

  /// Whether no earlier part has that key.
  private func isFirst(_ index: Int, _ key: String) -> Bool {
    headers[..<index].allSatisfy { $0.header.item(key) == nil }
  }

  private func isAny(of keys: [String], _ key: String) -> Bool { keys.contains { $0.utf8.elementsEqual(key.utf8) } }

  private func add(_ item: GGUFHeader.Item, of file: GGUFFile, to writer: inout GGUFWriter) throws(KistError) {
    guard let value = metadata[item.key] else { return }
    if value == original[item.key] {
      try writer.add(item, of: file)
    } else {
      try writer.add(item.key, try GGUFValue(value, key: item.key))
    }
  }

  private func addNewKeys(to writer: inout GGUFWriter) throws(KistError) {
    for item in metadata.items where original[item.key] == nil && !isAny(of: renewed.map(\.key), item.key) {
      try writer.add(item.key, try GGUFValue(item.value, key: item.key))
    }
    for (key, value) in renewed { try writer.add(key, value) }
  }

  private func alignment() throws(KistError) -> Int {
    guard let value = metadata[GGUFHeader.alignmentKey] else { return GGUFHeader.defaultAlignment }
    guard case .integer(let digits, type: "u32") = value, let number = Int(digits), number > 0,
      number & (number - 1) == 0, number <= GGUFHeader.maximumAlignment
    else {
      throw KistError(
        .invalid, field: "key '\(GGUFHeader.alignmentKey)'",
        "\(value) is no power of two of type u32 up to \(GGUFHeader.maximumAlignment)")
    }
    return number
  }

  /// Tensors that came in stand where they stood; others follow.
  ///
  /// - Returns: the tensors in their order.
  private func add(
    _ tensors: [CheckpointTensor], listed: [GGUFHeader.Tensor], to writer: inout GGUFWriter
  ) throws(KistError) -> [CheckpointTensor] {
    let byName = NamedTensors(tensors)
    let known = Set(listed.map { Array($0.name.utf8) })
    let ordered =
      keepsOrder
      ? tensors : listed.compactMap { byName[$0.name] } + tensors.filter { !known.contains(Array($0.name.utf8)) }
    for tensor in ordered {
      guard let dtype = tensor.dtype else {
        throw KistError(
          .unsupported, field: "tensor '\(tensor.name)'", "has a dtype that this Kist does not know",
          advice: "use a newer Kist")
      }
      try writer.addTensor(tensor.name, dtype: dtype, shape: tensor.shape)
    }
    return ordered
  }
}

extension WeightLayout {
  /// What a writer lays out, as one file or several.
  ///
  /// - Parameter tensors: Those that were added to the writer, in order.
  static func gguf(
    _ writer: GGUFWriter, _ tensors: [CheckpointTensor], shardByteCount: Int?
  ) throws(KistError) -> [WeightLayout] {
    let layouts =
      if let shardByteCount { try writer.layOut(shardByteCount: shardByteCount) } else { [try writer.layOut()] }
    var rest = tensors[...]
    return layouts.map { layout in
      defer { rest = rest.dropFirst(layout.ranges.count) }
      return WeightLayout(gguf: layout, rest.prefix(layout.ranges.count))
    }
  }

  init(gguf layout: GGUFWriter.Layout, _ tensors: ArraySlice<CheckpointTensor>) {
    self.init(
      path: "", header: layout.header,
      pieces: zip(tensors, layout.ranges).map { Piece(tensor: $0, offset: $1.lowerBound) },
      byteCount: layout.fileByteCount, isVerbatim: false)
    // Zeros up to the alignment.
    let end = layout.ranges.last?.upperBound ?? layout.header.count
    if layout.fileByteCount > end {
      fillings.append((end, [UInt8](repeating: 0, count: layout.fileByteCount - end)[...]))
    }
  }
}
