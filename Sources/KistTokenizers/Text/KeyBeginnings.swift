/// The first two bytes of a trie's keys, of those that begin beyond ASCII. They tell apart most characters of scripts that no key has.
///
/// 64 words of 64 bits: of a first byte of 0xC0 or more the lower six bits choose the word, of the second the bit. A key of one such byte
/// has all bits.
struct KeyBeginnings: Sendable {
  private(set) var words = [UInt64](repeating: 0, count: 64)

  /// - Parameter step: The node that a byte leads to, and whether a key ends there; nil when no key goes on so.
  init<Node>(root: Node, step: (Node, UInt8) -> (node: Node, endsKey: Bool)?) {
    for first in UInt8(0xC0)...0xFF {
      guard let (node, endsKey) = step(root, first) else { continue }
      words[Int(first & 63)] = endsKey ? .max : seconds(of: node, step)
    }
  }

  private func seconds<Node>(of node: Node, _ step: (Node, UInt8) -> (node: Node, endsKey: Bool)?) -> UInt64 {
    (UInt8(0x80)...0xBF).reduce(0) { bits, second in
      step(node, second) == nil ? bits : bits | 1 << UInt64(second & 63)
    }
  }
}
