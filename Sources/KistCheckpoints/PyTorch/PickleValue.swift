/// A value on the stack of the pickle machine.
///
/// Containers are places in ``PickleHeap``, not values inside values: however deep a pickle nests, nothing here recurses.
enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  /// UTF-8 in the pickle, not yet checked.
  case text(PickleSlice)
  case tuple(Int)
  /// A list or set.
  case list(Int)
  case dict(Int)
  case global(TorchGlobal)
  case storage(Int)
  case tensor(Int)
  /// Something that is no part of a tensor and has no short text.
  case opaque(Opaque)

  enum Opaque: String, Sendable {
    case bytes = "bytes"
    case largeInteger = "an integer of more than 64 bits"
  }
}

/// A part of the pickle's bytes.
struct PickleSlice: Sendable {
  var start: UInt32
  var count: UInt32

  var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// What the values of a pickle refer to.
struct PickleHeap: Sendable {
  /// Elements of all tuples.
  private var elements: [PickleValue] = []
  private var tuples: [Range<Int>] = []
  private(set) var lists: [[PickleValue]] = []
  private(set) var dicts: [[(key: PickleValue, value: PickleValue)]] = []
  private(set) var storages: [TorchStorage] = []
  private(set) var tensors: [TorchTensor] = []
  /// Containers and their elements so far.
  private(set) var cellCount = 0

  subscript(tuple index: Int) -> ArraySlice<PickleValue> { elements[tuples[index]] }

  mutating func newTuple(_ values: some Collection<PickleValue>) -> PickleValue {
    let start = elements.count
    elements.append(contentsOf: values)
    tuples.append(start..<elements.count)
    cellCount += 1 + values.count
    return .tuple(tuples.count - 1)
  }

  mutating func newList(_ values: some Collection<PickleValue>) -> PickleValue {
    lists.append(Array(values))
    cellCount += 4 + values.count
    return .list(lists.count - 1)
  }

  mutating func append(_ values: some Collection<PickleValue>, toList index: Int) {
    lists[index].append(contentsOf: values)
    cellCount += values.count
  }

  mutating func newDict() -> PickleValue {
    dicts.append([])
    cellCount += 4
    return .dict(dicts.count - 1)
  }

  mutating func set(_ key: PickleValue, _ value: PickleValue, inDict index: Int) {
    dicts[index].append((key, value))
    cellCount += 2
  }

  mutating func newStorage(_ storage: TorchStorage) -> PickleValue {
    storages.append(storage)
    cellCount += 4
    return .storage(storages.count - 1)
  }

  mutating func newTensor(_ tensor: TorchTensor) -> PickleValue {
    tensors.append(tensor)
    cellCount += 16
    return .tensor(tensors.count - 1)
  }
}

/// Where a tensor's numbers are kept: an entry of the archive, which several tensors may share.
struct TorchStorage: Sendable {
  /// Nil for bytes whose type each tensor says itself.
  var dtype: TorchDType?
  /// The last part of the entry's name.
  var key: PickleSlice
  var byteCount: Int
}

/// A tensor: some elements of a storage.
struct TorchTensor: Sendable {
  var storage: TorchStorage
  var dtype: TorchDType
  /// Elements before the first.
  var offset: Int
  var sizes: [Int]
  /// Elements from one to the next, by dimension.
  var steps: [Int]
}
