import KistCore

/// A trie of byte strings in one flat array, walked a byte at a time with one load a byte.
///
/// ```
/// unit, 64 bits:   63 ── base ── 41 │ 40 ─ occupied ─│ 39 ── label ── 32 │ 31 ──── value + 1, or 0 ──── 0
/// child of a unit: the unit at base ^ byte, if it is occupied and its label is that byte
/// ```
///
/// Unit 0 is the root; the rest of its block of 256 stays empty, so that a unit without children (base 0) finds none.
/// Source: Aoe, "An efficient digital search algorithm by using a double-array structure"; darts-clone, for the
/// exclusive or.
package struct DoubleArray: Sendable {
  /// What is reached by a string: its unit. Zero when no key begins so.
  package struct Node: Sendable, Equatable {
    fileprivate let unit: UInt64

    package static let none = Node(unit: 0)

    /// The value of the key that ends here.
    package var value: UInt32? {
      let stored = UInt32(truncatingIfNeeded: unit)
      return stored == 0 ? nil : stored &- 1
    }

    /// The value plus one; zero when no key ends here.
    @inline(__always) var storedValue: UInt32 { UInt32(truncatingIfNeeded: unit) }
    @inline(__always) var exists: Bool { unit != 0 }
  }

  private let units: FlatArray<UInt64>
  package let root: Node

  static let baseShift: UInt64 = 41
  static let labelShift: UInt64 = 32
  static let occupied: UInt64 = 0x100

  package init(_ units: FlatArray<UInt64>) {
    self.units = units
    root = Node(unit: units[0])
  }

  package var isEmpty: Bool { units.count == 0 }

  /// The units in memory, for `UnigramWords.c`, which walks them as ``child(of:_:)`` does.
  @unsafe func withBuffer(_ body: (UnsafeBufferPointer<UInt64>) -> Void) { unsafe units.withBuffer(body) }

  /// The node a byte further on; `none` when no key continues so.
  @inline(__always)
  package func child(of node: Node, _ byte: UInt8) -> Node {
    let child = units[Int(truncatingIfNeeded: (node.unit >> Self.baseShift) ^ UInt64(byte))]
    return (child >> Self.labelShift) & 0x1FF == Self.occupied | UInt64(byte) ? Node(unit: child) : .none
  }

  /// The node that stands at an index; `none` outside the array.
  package func node(at index: Int) -> Node { Node(unit: units[index]) }

  /// The value of exactly this key.
  package func value(of key: UnsafeRawBufferPointer) -> UInt32? {
    var node = root
    for index in 0..<key.count {
      node = unsafe child(of: node, key[index])
      guard node.exists else { return nil }
    }
    return node.value
  }

  /// The longest key that `text` continues with from `start`, walked from `node`, and where it ends.
  @inline(__always)
  package func longestMatch(
    in text: UnsafeRawBufferPointer, from start: Int, startingAt node: Node, atMost byteCount: Int
  ) -> (value: UInt32, end: Int)? {
    var node = node
    var position = start
    let limit = byteCount < text.count &- start ? start &+ byteCount : text.count
    var best: (value: UInt32, end: Int)?
    while position < limit {
      node = unsafe child(of: node, text[position])
      guard node.exists else { break }
      position &+= 1
      if node.storedValue != 0 { best = (node.storedValue &- 1, position) }
    }
    return best
  }
}
