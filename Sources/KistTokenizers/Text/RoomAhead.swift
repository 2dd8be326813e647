import Foundation

extension Array where Element: BitwiseCopyable {
  /// Makes room for as many elements, in huge pages where the system has them: touching each small page of a long list for the first time
  /// takes about as long as writing it.
  mutating func reserveAhead(_ count: Int) {
    reserveCapacity(count)
    #if os(Linux)
      let byteCount = capacity * MemoryLayout<Element>.stride
      guard byteCount >= Self.hugePageByteCount * 2 else { return }
      unsafe withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        let start = (UInt(bitPattern: base) + Self.pageByteCount - 1) & ~(Self.pageByteCount - 1)
        let end = (UInt(bitPattern: base) + UInt(byteCount)) & ~(Self.pageByteCount - 1)
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_HUGEPAGE)
      }
    #endif
  }

  private static var hugePageByteCount: Int { 1 << 21 }
  private static var pageByteCount: UInt { 1 << 12 }
}

extension [UInt32] {
  /// Makes room for the ids of the rest of a text, more to the byte than so far: pages that are copied while a list grows cost more than
  /// the tokens in them.
  mutating func makeRoom(forRest rest: Int, atRateOf idCount: Int, per byteCount: Int) {
    guard rest > 0, byteCount > 0, capacity - count < 4 * PieceWindow.pieceCount else { return }
    reserveAhead(count + 4 * PieceWindow.pieceCount + Int(Double(idCount) / Double(byteCount) * Double(rest) * 1.25))
  }
}
