/// Letter case.
extension UnicodeTable {
  /// A scalar in lower case, as Rust's `char::to_lowercase` has it (Unicode 17.0), but for U+0130: the only one that becomes two,
  /// `i` and U+0307. Looks at no neighbours: Σ is always σ.
  package static func lowercase(_ scalar: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: Int(scalar) &+ distances[Int(distanceIndices[scalar])])
  }

  /// Index 0 is distance 0.
  private static let distances: [Int] = {
    let distances = PackedNumbers(lowercaseDistances).map(PackedNumbers.signed)
    return distances + [Int](repeating: 0, count: max(0, 256 - distances.count))
  }()

  private static let distanceIndices = ScalarMap(PackedRuns(lowercaseIndexRuns), beyond: 0)

  /// Other scalars that have the same simple case folding, ascending: what `(?i)` finds in a scalar's place. `s` has `S` and `ſ`.
  package static func caseVariants(of scalar: UInt32) -> [UInt32] {
    guard let index = orbitsByScalar[scalar] else { return [] }
    return orbits[index].filter { $0 != scalar }
  }

  /// All sets of scalars with the same simple case folding, each ascending.
  package static let orbits: [[UInt32]] = {
    var orbits: [[UInt32]] = []
    var numbers = PackedNumbers(caseOrbits)
    var first: UInt32 = 0
    while let distance = numbers.next(), let others = numbers.next() {
      first += distance
      var orbit = [first]
      for _ in 0..<others { orbit.append(orbit[orbit.count - 1] + (numbers.next() ?? 0)) }
      orbits.append(orbit)
    }
    return orbits
  }()

  private static let orbitsByScalar: [UInt32: Int] = {
    var indices: [UInt32: Int] = [:]
    for (index, orbit) in orbits.enumerated() {
      for scalar in orbit { indices[scalar] = index }
    }
    return indices
  }()
}
