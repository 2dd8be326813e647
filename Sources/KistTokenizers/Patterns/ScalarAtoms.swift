import KistCore

/// The classes of scalars that a pattern can't tell apart, each a byte: its sets become sets of bytes, and text becomes one byte a scalar.
///
/// PCRE2 then sees no Unicode at all: neither its own tables, which are of another version than the references', nor long lists of ranges,
/// which it compares one by one. Every class is a bitmap.
struct ScalarAtoms: Sendable {
  /// Atoms by scalar, in blocks of 256.
  private let blocks: [UInt16]
  private let values: [UInt8]
  /// Bounds of the intervals of equal atoms: each begins at its bound.
  private let bounds: [UInt32]
  private let atoms: [UInt8]

  private static let scalarCount: UInt32 = 0x110000

  /// - Throws: `unsupported` when the sets divide Unicode into more than 256 classes.
  init(_ sets: [ScalarSet]) throws(KistError) {
    var bounds: Set<UInt32> = [0]
    for range in sets.flatMap(\.ranges) {
      bounds.insert(range.lowerBound)
      if range.upperBound + 1 < Self.scalarCount { bounds.insert(range.upperBound + 1) }
    }
    self.bounds = bounds.sorted()
    atoms = try Self.refined(self.bounds, by: sets)
    (blocks, values) = Self.table(bounds: self.bounds, atoms: atoms)
  }

  /// Splits one atom by one set after the other.
  private static func refined(_ bounds: [UInt32], by sets: [ScalarSet]) throws(KistError) -> [UInt8] {
    struct Split: Hashable { var atom: UInt8, isInside: Bool }
    var atoms = [UInt8](repeating: 0, count: bounds.count)
    var count = 1
    for set in sets {
      var renamed: [Split: UInt8] = [:]
      var range = 0
      for index in bounds.indices {
        while range < set.ranges.count, set.ranges[range].upperBound < bounds[index] { range += 1 }
        let isInside = range < set.ranges.count && set.ranges[range].lowerBound <= bounds[index]
        let split = Split(atom: atoms[index], isInside: isInside)
        if renamed[split] == nil {
          guard renamed[Split(atom: split.atom, isInside: !isInside)] != nil else {
            // The first part of an atom keeps its name.
            renamed[split] = split.atom
            continue
          }
          guard count < 256 else {
            throw KistError(.unsupported, field: "pattern", "tells more than 256 classes of characters apart")
          }
          renamed[split] = UInt8(count)
          count += 1
        }
        atoms[index] = renamed[split] ?? split.atom
      }
    }
    return atoms
  }

  private static func table(bounds: [UInt32], atoms: [UInt8]) -> ([UInt16], [UInt8]) {
    var blocks: [UInt16] = []
    var values: [UInt8] = []
    var uniform: [UInt8: UInt16] = [:]
    var interval = 0
    for start in stride(from: 0, to: scalarCount, by: 256) {
      while interval + 1 < bounds.count, bounds[interval + 1] <= start { interval += 1 }
      let isUniform = interval + 1 == bounds.count || bounds[interval + 1] >= start + 256
      if isUniform, let block = uniform[atoms[interval]] {
        blocks.append(block)
        continue
      }
      let block = UInt16(values.count / 256)
      if isUniform { uniform[atoms[interval]] = block }
      blocks.append(block)
      for scalar in start..<start + 256 {
        while interval + 1 < bounds.count, bounds[interval + 1] <= scalar { interval += 1 }
        values.append(atoms[interval])
      }
    }
    return (blocks, values)
  }

  /// The atoms that make up a set that was given at the beginning.
  func atoms(of set: ScalarSet) -> Set<UInt8> {
    var found: Set<UInt8> = []
    var range = 0
    for index in bounds.indices {
      while range < set.ranges.count, set.ranges[range].upperBound < bounds[index] { range += 1 }
      if range < set.ranges.count, set.ranges[range].lowerBound <= bounds[index] { found.insert(atoms[index]) }
    }
    return found
  }

  /// The atom of a scalar.
  @inline(__always) subscript(scalar: UInt32) -> UInt8 {
    values[Int(blocks[Int(scalar >> 8)]) << 8 | Int(scalar & 255)]
  }

  /// Appends the atoms of a text.
  ///
  /// - Returns: Whether every scalar was one byte.
  func append(_ text: UnsafeBufferPointer<UInt8>, to atoms: inout [UInt8]) -> Bool {
    var position = 0
    var isASCII = true
    while position < text.count {
      let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: position)
      if scalar >= 0x80 { isASCII = false }
      atoms.append(self[scalar])
      position += length
    }
    return isASCII
  }
}
