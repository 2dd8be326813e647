import KistCore

/// The memory of a compiled tokenizer: a part of a mapped file, or bytes of its own.
@safe package final class RecordStorage: Sendable {
  private let mapped: MappedFile?
  /// Keeps the bytes of an array where they are.
  private let array: [UInt8]
  /// Nil when there are no bytes.
  private nonisolated(unsafe) let base: UnsafeRawPointer?
  package let count: Int
  private let ownsMemory: Bool

  /// - Parameter range: Lies within the file.
  package init(_ file: MappedFile, range: Range<Int>) {
    let bytes = unsafe file.pointer(range)
    (mapped, array) = (file, [])
    unsafe base = bytes.baseAddress
    count = bytes.count
    ownsMemory = false
  }

  package init(_ bytes: [UInt8]) {
    (mapped, array) = (nil, bytes)
    // An array that nobody else can change lies still as long as it lives.
    unsafe base = bytes.withUnsafeBytes { $0.baseAddress }
    count = bytes.count
    ownsMemory = false
  }

  /// Memory of its own.
  ///
  /// - Parameter fill: Writes all of it.
  @unsafe init(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
    unsafe fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount]))
    (mapped, array) = (nil, [])
    unsafe base = memory.baseAddress.map { UnsafeRawPointer($0) }
    count = byteCount
    ownsMemory = true
  }

  deinit {
    if ownsMemory { unsafe base?.deallocate() }
  }

  /// An array that lies in this memory; nil when it would not.
  package func array<Element: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, count: Int, of type: Element.Type = Element.self
  ) -> FlatArray<Element>? {
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.size)
    guard !overflow, offset >= 0, count >= 0, offset <= self.count, byteCount <= self.count - offset else { return nil }
    return unsafe FlatArray(owner: self, base: base.map { unsafe $0 + offset }, count: count)
  }
}

/// Numbers in a compiled tokenizer's memory, read where they lie.
///
/// An index beyond the end reads as zero: a damaged record can give wrong ids, which `verify` finds, but it can't read outside its memory.
///
/// The type itself asks nothing of its elements: checking that when a process first uses it would take as long as opening a tokenizer.
@safe package struct FlatArray<Element>: Sendable {
  private let owner: RecordStorage
  private nonisolated(unsafe) let base: UnsafeRawPointer?
  package let count: Int

  fileprivate init(owner: RecordStorage, base: UnsafeRawPointer?, count: Int) {
    self.owner = owner
    unsafe self.base = base
    self.count = count
  }
}

extension FlatArray where Element: FixedWidthInteger & BitwiseCopyable {
  package subscript(index: Int) -> Element {
    guard UInt(bitPattern: index) < UInt(bitPattern: count), let base = unsafe base else { return 0 }
    return unsafe base.loadUnaligned(fromByteOffset: index &* MemoryLayout<Element>.size, as: Element.self)
  }

  /// The elements in memory, for loops and kernels that check bounds themselves. The pointer lives as long as this array.
  @unsafe package func withBuffer<Result>(_ body: (UnsafeBufferPointer<Element>) throws -> Result) rethrows -> Result {
    try unsafe body(UnsafeBufferPointer(start: base?.assumingMemoryBound(to: Element.self), count: count))
  }

  /// Elements of a range, cut to those that exist.
  package func copy(_ range: Range<Int>) -> [Element] {
    let range = range.clamped(to: 0..<count)
    guard !range.isEmpty, let base = unsafe base else { return [] }
    let size = MemoryLayout<Element>.size
    let bytes = unsafe UnsafeRawBufferPointer(start: base + range.lowerBound * size, count: range.count * size)
    return unsafe [Element](unsafeUninitializedCapacity: range.count) { elements, count in
      unsafe UnsafeMutableRawBufferPointer(elements).copyMemory(from: bytes)
      count = range.count
    }
  }
}
