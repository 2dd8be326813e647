/// Numbers in memory that grows at its end: what the loops of training run over.
///
/// Single elements are read and written with a check of their index. Hot loops take ``base``, whose elements lie still until the next
/// append.
@safe final class GrowingMemory<Element: BitwiseCopyable> {
  private(set) var count: Int
  private var capacity: Int
  private(set) var base: UnsafeMutablePointer<Element>

  init() {
    count = 0
    capacity = 16
    unsafe base = .allocate(capacity: capacity)
  }

  init(repeating element: Element, count: Int) {
    self.count = count
    capacity = max(count, 16)
    unsafe base = .allocate(capacity: capacity)
    unsafe base.initialize(repeating: element, count: count)
  }

  deinit { unsafe base.deallocate() }

  subscript(index: Int) -> Element {
    get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      return unsafe base[index]
    }
    set {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      unsafe base[index] = newValue
    }
  }

  /// - Complexity: constant on average.
  func append(_ element: Element) {
    if count == capacity { grow(to: count + 1) }
    unsafe (base + count).initialize(to: element)
    count += 1
  }

  /// Appends copies of an element until there are `newCount`; does nothing when there are as many.
  func extend(to newCount: Int, with element: Element) {
    guard newCount > count else { return }
    if newCount > capacity { grow(to: newCount) }
    unsafe (base + count).initialize(repeating: element, count: newCount - count)
    count = newCount
  }

  func append(contentsOf source: UnsafeRawBufferPointer) where Element == UInt8 {
    guard let start = source.baseAddress else { return }
    if count + source.count > capacity { grow(to: count + source.count) }
    unsafe UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: source.count)
    count += source.count
  }

  func removeLast() {
    precondition(count > 0)
    count -= 1
  }

  /// Removes all elements and keeps the memory.
  func removeAll() { count = 0 }

  private func grow(to needed: Int) {
    capacity = max(needed, capacity * 2)
    let grown = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    unsafe grown.moveInitialize(from: base, count: count)
    unsafe base.deallocate()
    unsafe base = grown
  }
}
