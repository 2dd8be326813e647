/// A byte for each scalar, in blocks of 128: blocks of one value are kept once.
package struct ScalarMap: Sendable {
  private var blocks: [UInt16] = []
  private var values: [UInt8] = []
  private let beyond: UInt8

  private static let blockSize = 128

  /// - Parameter beyond: The value of what lies after the last run.
  init(_ runs: PackedRuns, beyond: UInt8) {
    self.beyond = beyond
    var uniform: [UInt8: UInt16] = [:]
    var pending: [UInt8] = []
    for (scalars, value) in runs {
      let value = UInt8(truncatingIfNeeded: value)
      var remaining = scalars.count
      while remaining > 0 {
        if pending.isEmpty, remaining >= Self.blockSize {
          let block = uniform[value] ?? append([UInt8](repeating: value, count: Self.blockSize))
          uniform[value] = block
          blocks.append(contentsOf: repeatElement(block, count: remaining / Self.blockSize))
          remaining %= Self.blockSize
          continue
        }
        let count = min(remaining, Self.blockSize - pending.count)
        pending.append(contentsOf: repeatElement(value, count: count))
        remaining -= count
        if pending.count == Self.blockSize {
          blocks.append(append(pending))
          pending.removeAll(keepingCapacity: true)
        }
      }
    }
    guard !pending.isEmpty else { return }
    blocks.append(append(pending + repeatElement(beyond, count: Self.blockSize - pending.count)))
  }

  private mutating func append(_ block: [UInt8]) -> UInt16 {
    values += block
    return UInt16(truncatingIfNeeded: values.count / Self.blockSize - 1)
  }

  /// - Complexity: two loads.
  package subscript(scalar: UInt32) -> UInt8 {
    let block = Int(scalar >> 7)
    return block < blocks.count ? values[Int(blocks[block]) << 7 | Int(scalar & 127)] : beyond
  }
}
