import KistCore
import KistTokenizers
import TestSupport
import Testing

struct DoubleArrayTests {
  private func trie(_ keys: [(bytes: [UInt8], value: UInt32)]) throws -> DoubleArray {
    let units = try DoubleArrayBuilder.units(of: keys)
    return DoubleArray(try record { $0.add(.trie, units) }.array(.trie))
  }

  @Test(arguments: [UInt8(2), 7, 255])
  func `finds every key and no other string`(highest: UInt8) throws {
    var random = SeededGenerator(seed: UInt64(highest))
    var values: [[UInt8]: UInt32] = [:]
    for value in 0..<20_000 {
      let key = (0..<Int.random(in: 1...9, using: &random)).map { _ in UInt8.random(in: 0...highest, using: &random) }
      values[key] = UInt32(value)
    }
    let trie = try trie(values.map { ($0.key, $0.value) })
    for (key, value) in values { #expect(unsafe key.withUnsafeBytes { unsafe trie.value(of: $0) } == value) }
    for _ in 0..<20_000 {
      let key = (0..<Int.random(in: 1...9, using: &random)).map { _ in UInt8.random(in: 0...highest, using: &random) }
      #expect(unsafe key.withUnsafeBytes { unsafe trie.value(of: $0) } == values[key])
    }
  }

  @Test func `an empty trie holds nothing`() throws {
    let trie = try trie([])
    #expect(unsafe [UInt8(1)].withUnsafeBytes { unsafe trie.value(of: $0) } == nil)
    #expect(trie.root.value == nil)
  }

  @Test func `of equal keys the last one's value stands`() throws {
    let trie = try trie([([1, 2], 5), ([1, 2], 6), ([], 9)])
    #expect(unsafe [UInt8(1), 2].withUnsafeBytes { unsafe trie.value(of: $0) } == 6)
    #expect(trie.root.value == nil)
  }

  @Test func `a vocabulary of 256k tokens is laid out at once`() throws {
    var random = SeededGenerator(seed: 3)
    let syllables = (0..<700).map { _ in random.bytes(Int.random(in: 1...4, using: &random)) }
    let keys = (0..<256_000).map { value in
      let key = (0..<Int.random(in: 1...4, using: &random)).flatMap { _ in
        syllables[Int.random(in: 0..<700, using: &random)]
      }
      return (bytes: key, value: UInt32(value))
    }
    #expect(try !DoubleArrayBuilder.units(of: keys).isEmpty)
  }

  @Test func `keys beyond any token's length are refused`() {
    let key = [UInt8](repeating: 1, count: DoubleArrayBuilder.maximumKeyByteCount + 1)
    #expect(throws: KistError.self) { try DoubleArrayBuilder.units(of: [(key, 0)]) }
  }
}
