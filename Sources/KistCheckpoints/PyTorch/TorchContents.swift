import KistCore

/// What a checkpoint's dicts and lists hold, as one list: tensors and simple values, their names the keys on the way joined by dots.
struct TorchContents {
  /// With each tensor the last part of the name of the entry that has its storage.
  private(set) var tensors: [(name: String, tensor: TorchTensor, storage: String)] = []
  private(set) var values: [(name: String, value: PyTorchFile.Value)] = []
  private(set) var others: [(name: String, what: String)] = []

  private let heap: PickleHeap
  private let reader: PickleReader
  private var names: Set<NameBytes> = []
  private var visitCount = 0
  private var nameByteCount = 0
  private var hasSaidFull = false

  // A pickle can name one dict as often as it likes: what is small in the file may be endless when it is walked.
  private static let maximumDepth = 64
  private static let maximumVisitCount = 1 << 22
  private static let maximumNameByteCount = 65535
  private static let maximumNamesByteCount = 16 << 20
  /// Simple values that are kept; optimizers have one or more for every tensor.
  private static let maximumValueCount = 1000
  private static let maximumTextByteCount = 1 << 16

  /// Dicts that programs put around a model's tensors, and whose name is no part of theirs.
  private static let wrappers = ["state_dict", "model_state_dict"]

  /// - Throws: `unsupported` when two tensors would have one name, a key is neither text nor number, or there is too much of anything.
  ///
  /// - Parameter pickle: Not needed any more afterwards.
  init(pickle: UnsafeRawBufferPointer) throws(KistError) {
    let value: PickleValue
    unsafe (value, heap) = try PickleMachine.run(pickle)
    unsafe reader = PickleReader(pickle)
    try walk(value, name: "", depth: 0)
    dropWrapper()
  }

  /// Takes the name of a wrapper off, when nothing outside of it is a tensor.
  private mutating func dropWrapper() {
    for wrapper in Self.wrappers {
      let prefix = Array((wrapper + ".").utf8)
      guard !tensors.isEmpty, tensors.allSatisfy({ $0.name.utf8.starts(with: prefix) }) else { continue }
      for index in tensors.indices {
        tensors[index].name = String(decoding: tensors[index].name.utf8.dropFirst(prefix.count), as: UTF8.self)
      }
      return
    }
  }

  private mutating func walk(_ value: PickleValue, name: String, depth: Int) throws(KistError) {
    visitCount += 1
    guard depth <= Self.maximumDepth, visitCount <= Self.maximumVisitCount else {
      throw tooMuch(name)
    }
    switch value {
    case .tensor(let index): try add(heap.tensors[index], name.isEmpty ? "tensor" : name)
    case .dict(let index):
      for item in heap.dicts[index] {
        try walk(item.value, name: try join(name, try key(item.key, in: name)), depth: depth + 1)
      }
    case .list(let index): try walk(heap.lists[index][...], of: value, name: name, depth: depth)
    case .tuple(let index): try walk(heap[tuple: index], of: value, name: name, depth: depth)
    default: addValue(value, name)
    }
  }

  private mutating func walk(
    _ elements: ArraySlice<PickleValue>, of list: PickleValue, name: String, depth: Int
  ) throws(KistError) {
    visitCount += elements.count
    if elements.allSatisfy(isSimple) {
      guard !isFull(name) else { return }
      if let text = listText(elements) {
        values.append((name.isEmpty ? "values" : name, .text(text)))
      } else {
        others.append((name, "a list of \(elements.count) values"))
      }
      return
    }
    for (index, element) in elements.enumerated() {
      try walk(element, name: try join(name, String(index)), depth: depth + 1)
    }
  }

  private mutating func join(_ name: String, _ part: String) throws(KistError) -> String {
    let joined = name.isEmpty ? part : name + "." + part
    nameByteCount += joined.utf8.count
    guard joined.utf8.count <= Self.maximumNameByteCount, nameByteCount <= Self.maximumNamesByteCount else {
      throw tooMuch(name)
    }
    return joined
  }

  private func key(_ key: PickleValue, in name: String) throws(KistError) -> String {
    switch key {
    case .text(let slice):
      guard slice.range.count <= Self.maximumNameByteCount, let text = reader.text(slice), !text.isEmpty else {
        throw failure(name, "a key that is empty, too long, or not UTF-8")
      }
      return text
    case .int(let number): return String(number)
    case .bool(let flag): return flag ? "True" : "False"
    default: throw failure(name, "a key that is neither text nor an integer")
    }
  }

  private mutating func add(_ tensor: TorchTensor, _ name: String) throws(KistError) {
    guard names.insert(NameBytes(name)).inserted else {
      throw failure(name, "two tensors would have this name", advice: "save one of them under another key")
    }
    guard let storage = reader.text(tensor.storage.key) else {
      throw failure(name, "the key of its storage is not UTF-8")
    }
    tensors.append((name, tensor, storage))
  }

  // MARK: - Simple values

  private mutating func addValue(_ value: PickleValue, _ name: String) {
    guard !isFull(name) else { return }
    let name = name.isEmpty ? "value" : name
    switch value {
    case .none: break
    case .bool(let flag): values.append((name, .bool(flag)))
    case .int(let number): values.append((name, .int(number)))
    case .float(let number) where number.isFinite: values.append((name, .float(number)))
    case .float(let number): others.append((name, "\(number), which metadata can't hold"))
    case .global(.dtype(let dtype)): values.append((name, .text("torch.\(dtype.name)")))
    case .text(let slice):
      if let text = text(slice) {
        values.append((name, .text(text)))
      } else {
        others.append((name, "text that is too long, or not UTF-8"))
      }
    case .opaque(let kind): others.append((name, kind.rawValue))
    case .storage: others.append((name, "a storage without a tensor"))
    default: others.append((name, "not a tensor"))
    }
  }

  /// Whether there are as many values as are kept; that is said once.
  private mutating func isFull(_ name: String) -> Bool {
    guard values.count + others.count >= Self.maximumValueCount else { return false }
    if !hasSaidFull { others.append((name, "and what follows: more values than metadata is made of")) }
    hasSaidFull = true
    return true
  }

  private func text(_ slice: PickleSlice) -> String? {
    slice.range.count <= Self.maximumTextByteCount ? reader.text(slice) : nil
  }

  private func isSimple(_ value: PickleValue) -> Bool {
    switch value {
    case .none, .bool, .int, .text: true
    case .float(let number): number.isFinite
    default: false
    }
  }

  /// Simple values as JSON; nil when that is long.
  private func listText(_ elements: ArraySlice<PickleValue>) -> String? {
    var json = JSONText()
    json.literal("[")
    for (index, element) in elements.enumerated() {
      if index > 0 { json.literal(",") }
      switch element {
      case .bool(let flag): json.literal(String(flag))
      case .int(let number): json.literal(String(number))
      case .float(let number): json.literal(String(number))
      case .text(let slice):
        guard let text = text(slice) else { return nil }
        json.string(text)
      default: json.literal("null")
      }
      guard json.bytes.count <= Self.maximumTextByteCount else { return nil }
    }
    json.literal("]")
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func tooMuch(_ name: String) -> KistError {
    failure(
      String(name.prefix(100)), "dicts and lists are too deep, too many, or their names too long for any checkpoint")
  }

  private func failure(_ name: String, _ problem: String, advice: String? = nil) -> KistError {
    KistError(.unsupported, field: name.isEmpty ? "checkpoint" : "'\(name)'", problem, advice: advice)
  }
}
