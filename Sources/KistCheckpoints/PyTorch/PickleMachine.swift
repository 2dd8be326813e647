import KistCore

/// Python's pickle machine, for checkpoints: it builds numbers, text, containers and descriptions of tensors, and never calls anything.
///
/// What it may be made to hold is bounded: the pickle's own length, the stack, the memo, and the number of containers and elements.
struct PickleMachine {
  private(set) var heap = PickleHeap()
  var stack: [PickleValue] = []
  /// Heights of the stack where marks stand.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  var reader: PickleReader

  /// The longest pickle that is read; of a checkpoint with 100,000 tensors it has about 20 MB.
  static let maximumByteCount = 128 << 20
  private static let maximumStackCount = 1 << 20
  private static let maximumMemoCount = 1 << 22
  private static let maximumCellCount = 1 << 23

  /// Runs a pickle.
  ///
  /// - Returns: the value that it describes, and what that refers to.
  /// - Throws: `unsupported` for protocols and globals that are not read, naming them; `damaged` for all else; each with the offset in the
  ///   pickle.
  static func run(_ pickle: UnsafeRawBufferPointer) throws(KistError) -> (value: PickleValue, heap: PickleHeap) {
    guard pickle.count <= maximumByteCount else {
      throw KistError(.unsupported, "\(pickle.count) bytes is more than the \(maximumByteCount) that are read")
    }
    var machine = unsafe PickleMachine(reader: PickleReader(pickle))
    let value = try machine.run()
    return (value, machine.heap)
  }

  private init(reader: PickleReader) { self.reader = reader }

  private mutating func run() throws(KistError) -> PickleValue {
    guard try reader.byte() == PickleOpcode.protocolVersion.rawValue, case let version = try reader.byte(),
      (2...5).contains(version)
    else {
      throw reader.error(.unsupported, "is not of one of the protocols 2 to 5", advice: "save it again with torch.save")
    }
    while true {
      let place = reader.position
      let byte = try reader.byte()
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw reader.error(.unsupported, at: place, "the instruction 0x\(String(byte, radix: 16)) is not read")
      }
      if opcode == .stop { return try pop() }
      try execute(opcode, at: place)
      guard stack.count <= Self.maximumStackCount, memo.count <= Self.maximumMemoCount,
        marks.count <= Self.maximumStackCount, heap.cellCount <= Self.maximumCellCount
      else { throw reader.error(.unsupported, at: place, "holds more values than any checkpoint that is read") }
    }
  }

  // MARK: - The stack

  mutating func pop() throws(KistError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw reader.error(.damaged, "takes a value from an empty stack")
    }
    return value
  }

  /// The values above the last mark, which goes.
  mutating func popMark() throws(KistError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw reader.error(.damaged, "has no mark where one should be") }
    // A slice would keep the whole stack, and make the next line copy it.
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  /// The value that an instruction changes: the last one below what it took.
  private func top() throws(KistError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw reader.error(.damaged, "changes a value of an empty stack")
    }
    return value
  }

  // MARK: - Instructions

  private mutating func execute(_ opcode: PickleOpcode, at place: Int) throws(KistError) {
    switch opcode {
    case .protocolVersion, .stop: throw reader.error(.damaged, at: place, "begins again inside itself")
    case .frame: _ = try reader.length(width: 8)
    case .mark: marks.append(stack.count)
    case .pop: if stack.count == marks.last { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popMark()
    case .duplicate: stack.append(try top())
    case .none, .newTrue, .newFalse, .int32, .uint8, .uint16, .long1, .long4, .float:
      stack.append(try reader.number(opcode))
    case .text8, .string8: stack.append(.text(try reader.slice(lengthWidth: 1)))
    case .text32, .string32: stack.append(.text(try reader.slice(lengthWidth: 4)))
    case .text64: stack.append(.text(try reader.slice(lengthWidth: 8)))
    case .bytes8: try pushBytes(lengthWidth: 1)
    case .bytes32: try pushBytes(lengthWidth: 4)
    case .bytes64, .byteArray64: try pushBytes(lengthWidth: 8)
    case .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3, .emptyList, .list, .append, .appends, .emptyDict, .dict,
      .setItem, .setItems, .emptySet, .addItems, .frozenSet:
      try executeContainer(opcode)
    case .get8: try get(try reader.length(width: 1, isData: false))
    case .get32: try get(try reader.length(width: 4, isData: false))
    case .put8: memo[try reader.length(width: 1, isData: false)] = try top()
    case .put32: memo[try reader.length(width: 4, isData: false)] = try top()
    case .memoize: memo[memo.count] = try top()
    case .global: stack.append(.global(try reader.global(at: place)))
    case .stackGlobal:
      let (name, module) = (try pop(), try pop())
      stack.append(.global(try reader.global(module, name, at: place)))
    case .reduce, .newObject:
      let (arguments, function) = (try pop(), try pop())
      stack.append(try call(function, arguments, at: place))
    case .build: try build(at: place)
    case .persistentID: stack.append(try storage(try pop(), at: place))
    }
  }

  private mutating func pushBytes(lengthWidth: Int) throws(KistError) {
    _ = try reader.slice(lengthWidth: lengthWidth)
    stack.append(.opaque(.bytes))
  }

  private mutating func get(_ index: Int) throws(KistError) {
    guard let value = memo[index] else { throw reader.error(.damaged, "the memo has nothing at \(index)") }
    stack.append(value)
  }

  private mutating func executeContainer(_ opcode: PickleOpcode) throws(KistError) {
    switch opcode {
    case .emptyTuple: stack.append(heap.newTuple([]))
    case .tuple: stack.append(heap.newTuple(try popMark()))
    case .tuple1: try pushTuple(of: 1)
    case .tuple2: try pushTuple(of: 2)
    case .tuple3: try pushTuple(of: 3)
    case .emptyList, .emptySet: stack.append(heap.newList([]))
    case .list, .frozenSet: stack.append(heap.newList(try popMark()))
    case .append: try extend(with: [try pop()])
    case .appends, .addItems: try extend(with: try popMark())
    case .emptyDict: stack.append(heap.newDict())
    case .dict:
      let items = try popMark()
      stack.append(heap.newDict())
      try setItems(items)
    case .setItem:
      let (value, key) = (try pop(), try pop())
      try setItems([key, value])
    default: try setItems(try popMark())
    }
  }

  private mutating func pushTuple(of count: Int) throws(KistError) {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw reader.error(.damaged, "takes a value from an empty stack")
    }
    let tuple = heap.newTuple(stack.suffix(count))
    stack.removeLast(count)
    stack.append(tuple)
  }

  private mutating func extend(with values: [PickleValue]) throws(KistError) {
    guard case .list(let index) = try top() else { throw reader.error(.damaged, "appends to what is no list") }
    heap.append(values, toList: index)
  }

  private mutating func setItems(_ items: [PickleValue]) throws(KistError) {
    guard case .dict(let index) = try top() else { throw reader.error(.damaged, "sets an item of what is no dict") }
    guard items.count.isMultiple(of: 2) else { throw reader.error(.damaged, "sets a key without a value") }
    for place in stride(from: 0, to: items.count, by: 2) {
      heap.set(items[place], items[place + 1], inDict: index)
    }
  }

  // MARK: - For calls

  mutating func newTensor(_ tensor: TorchTensor) -> PickleValue { heap.newTensor(tensor) }
  mutating func newStorage(_ storage: TorchStorage) -> PickleValue { heap.newStorage(storage) }
  mutating func newList(_ values: some Collection<PickleValue>) -> PickleValue { heap.newList(values) }

  mutating func newDict(_ items: [PickleValue]) throws(KistError) -> PickleValue {
    let dict = heap.newDict()
    guard case .dict(let index) = dict else { return dict }
    for place in stride(from: 0, to: items.count - 1, by: 2) { heap.set(items[place], items[place + 1], inDict: index) }
    return dict
  }
}
