import KistCore

/// What the functions that a checkpoint names would make of their arguments.
extension PickleMachine {
  mutating func call(_ function: PickleValue, _ arguments: PickleValue, at place: Int) throws(KistError) -> PickleValue
  {
    guard case .global(let global) = function, let arguments = few(arguments, atMost: Self.maximumArgumentCount) else {
      throw reader.error(.damaged, at: place, "calls what is no function, or without a tuple of a few arguments")
    }
    if case .rebuildFromType = global { return try rebuildFromType(arguments, at: place) }
    return try call(global, arguments, at: place)
  }

  private static let maximumArgumentCount = 8

  /// The elements of a short tuple or list. Of a long one nothing is copied: a pickle can name one as often as it likes.
  private func few(_ value: PickleValue, atMost limit: Int) -> [PickleValue]? {
    switch value {
    case .tuple(let index) where heap[tuple: index].count <= limit: Array(heap[tuple: index])
    case .list(let index) where heap.lists[index].count <= limit: heap.lists[index]
    default: nil
    }
  }

  private mutating func call(
    _ global: TorchGlobal, _ arguments: [PickleValue], at place: Int
  ) throws(KistError) -> PickleValue {
    switch global {
    case .orderedDict: return try orderedDict(arguments, at: place)
    case .set:
      guard let first = arguments.first else { return newList([]) }
      guard arguments.count == 1, let values = values(of: first) else { break }
      return newList(values)
    case .rebuildTensor(let version): return newTensor(try tensor(arguments, version: version, at: place))
    case .rebuildParameter:
      guard let first = arguments.first, case .tensor = first else { break }
      return first
    case .size:
      guard let first = arguments.first, arguments.count == 1, case .tuple = first else { break }
      return first
    case .arguments: return arguments.count == 1 ? arguments[0] : newList(arguments)
    case .bytes: return .opaque(.bytes)
    case .rebuildFromType, .tensorClass, .dtype, .storage: break
    }
    throw reader.error(.damaged, at: place, "calls a function with arguments that it does not take")
  }

  /// `(function, class, arguments, state)`, the class being a tensor's.
  private mutating func rebuildFromType(_ arguments: [PickleValue], at place: Int) throws(KistError) -> PickleValue {
    guard arguments.count >= 3, case .global(let function) = arguments[0],
      case .global(.tensorClass) = arguments[1], let inner = few(arguments[2], atMost: Self.maximumArgumentCount)
    else { throw reader.error(.damaged, at: place, "rebuilds something that is not a tensor") }
    switch function {
    case .rebuildTensor, .rebuildParameter: return try call(function, inner, at: place)
    default: throw reader.error(.damaged, at: place, "rebuilds a tensor by a function that makes none")
    }
  }

  private mutating func orderedDict(_ arguments: [PickleValue], at place: Int) throws(KistError) -> PickleValue {
    guard let first = arguments.first else { return try newDict([]) }
    guard arguments.count == 1, let pairs = values(of: first) else {
      throw reader.error(.damaged, at: place, "an OrderedDict of what is no list")
    }
    var items: [PickleValue] = []
    for pair in pairs {
      guard let pair = few(pair, atMost: 2), pair.count == 2 else {
        throw reader.error(.damaged, at: place, "an OrderedDict of what are no pairs")
      }
      items += pair
    }
    return try newDict(items)
  }

  private func values(of value: PickleValue) -> [PickleValue]? {
    switch value {
    case .list(let index): heap.lists[index]
    case .tuple(let index): Array(heap[tuple: index])
    default: nil
    }
  }

  /// Attributes that are set after a value was made: an OrderedDict's `_metadata`, or a tensor's own. They are no part of the weights.
  mutating func build(at place: Int) throws(KistError) {
    _ = try pop()
    switch stack.last {
    case .dict, .tensor: return
    default: throw reader.error(.damaged, at: place, "sets the state of what has none")
    }
  }

  // MARK: - Tensors

  private static let maximumKeyByteCount = 256

  /// `("storage", class, key, location, number of elements)`
  mutating func storage(_ id: PickleValue, at place: Int) throws(KistError) -> PickleValue {
    guard let parts = few(id, atMost: 5), parts.count == 5,
      case .text(let kind) = parts[0], reader.equals(kind, "storage"), case .global(.storage(let dtype)) = parts[1],
      case .text(let key) = parts[2], key.count <= Self.maximumKeyByteCount, case .int(let count) = parts[4], count >= 0
    else { throw reader.error(.damaged, at: place, "a reference to something that is not a storage") }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: dtype?.width ?? 1)
    guard !overflow else { throw reader.error(.damaged, at: place, "a storage of \(count) elements is not possible") }
    return newStorage(TorchStorage(dtype: dtype, key: key, byteCount: byteCount))
  }

  /// `(storage, offset, size, stride, requires_grad, hooks, [dtype,] [metadata])`. Source: torch/_utils.py.
  private func tensor(_ arguments: [PickleValue], version: Int, at place: Int) throws(KistError) -> TorchTensor {
    let least = [1: 4, 2: 6, 3: 7][version] ?? 4
    guard (least...least + 1).contains(arguments.count), case .storage(let index) = arguments[0],
      case .int(let offset) = arguments[1], let sizes = numbers(arguments[2]), let steps = numbers(arguments[3]),
      offset >= 0, sizes.count == steps.count
    else {
      throw reader.error(
        .damaged, at: place,
        "the description of a tensor is not of the form that PyTorch writes, or has more than \(Shape.maximumRank) dimensions"
      )
    }
    let storage = heap.storages[index]
    var dtype = storage.dtype
    if version == 3 {
      guard case .global(.dtype(let own)) = arguments[6] else {
        throw reader.error(.damaged, at: place, "a tensor whose dtype is none")
      }
      dtype = own
    }
    guard let dtype else { throw reader.error(.damaged, at: place, "a tensor without a dtype") }
    if arguments.count > least, version > 1 { try checkMetadata(arguments[least], at: place) }
    return TorchTensor(storage: storage, dtype: dtype, offset: offset, sizes: sizes, steps: steps)
  }

  private func numbers(_ value: PickleValue) -> [Int]? {
    guard let values = few(value, atMost: Shape.maximumRank) else { return nil }
    var numbers: [Int] = []
    for value in values {
      guard case .int(let number) = value, number >= 0 else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// The metadata says whether the numbers are to be read as conjugate or negative.
  private func checkMetadata(_ metadata: PickleValue, at place: Int) throws(KistError) {
    guard case .dict(let index) = metadata else {
      if case .none = metadata { return }
      throw reader.error(.damaged, at: place, "the metadata of a tensor is no dict")
    }
    let isPlain =
      heap.dicts[index].count <= 8
      && heap.dicts[index].allSatisfy { item in
        if case .bool(false) = item.value { true } else { false }
      }
    guard isPlain else {
      throw reader.error(
        .unsupported, at: place, "a tensor that is a conjugate or negative view of its storage",
        advice: "save tensor.resolve_conj().resolve_neg()")
    }
  }
}
