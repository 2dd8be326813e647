/// Unicode's normalization forms, of the version that tokenizers uses.
extension UnicodeTable {
  /// The canonical combining class of a scalar.
  package static let combiningClass = ScalarMap(PackedRuns(combiningClassRuns), beyond: 0)

  /// Bits by ``NormalizationForm`` under which a scalar may change, alone or with what stands before it. Text between two scalars
  /// without a form's bit, the first of them included, is normalized apart from the rest.
  static let instability = ScalarMap(PackedRuns(instabilityRuns), beyond: 0)

  /// Full canonical decompositions, but for Hangul.
  static let canonicalDecompositions = ScalarExpansions([canonicalExpansions])

  /// Full compatibility decompositions, but for Hangul.
  static let compatibilityDecompositions = ScalarExpansions([canonicalExpansions, compatibilityExpansions])

  static let compositions = ScalarCompositions(canonicalCompositions)
}

/// Raw values are bits of the packed table.
package enum NormalizationForm: UInt8, Sendable, CaseIterable {
  case nfd, nfc, nfkd, nfkc

  package var composes: Bool { self == .nfc || self == .nfkc }
  package var isCompatible: Bool { self == .nfkd || self == .nfkc }
}

/// Scalars that some scalars become.
struct ScalarExpansions: Sendable {
  /// Number of an expansion by scalar; 0 for none.
  private let numbers: ScalarTable<UInt16>
  /// Where each begins in the pool; number 0 is empty.
  private var starts: [Int] = [0, 0]
  private var pool: [UInt32] = []

  /// - Parameter texts: Packed expansions; where several have a scalar, the last is it.
  init(_ texts: [StaticString]) {
    var all: [UInt32: Int] = [:]
    for text in texts {
      var packed = PackedNumbers(text)
      var scalar: UInt32 = 0
      while let distance = packed.next(), let count = packed.next() {
        scalar += distance
        var last = Int(scalar)
        for _ in 0..<count {
          last += packed.next().map(PackedNumbers.signed) ?? 0
          pool.append(UInt32(truncatingIfNeeded: last))
        }
        all[scalar] = starts.count - 1
        starts.append(pool.count)
      }
    }
    var end: UInt32 = 0
    var runs: [(scalars: Range<UInt32>, value: UInt32)] = []
    for (scalar, number) in all.sorted(by: { $0.key < $1.key }) {
      runs += [(end..<scalar, 0), (scalar..<scalar + 1, UInt32(number))]
      end = scalar + 1
    }
    numbers = ScalarTable(runs, beyond: 0)
  }

  /// What a scalar becomes; empty when it stays.
  subscript(scalar: UInt32) -> ArraySlice<UInt32> {
    let number = Int(numbers[scalar])
    return number == 0 ? [] : pool[starts[number]..<starts[number + 1]]
  }
}

/// Pairs of scalars that compose, but for Hangul.
struct ScalarCompositions: Sendable {
  /// First and second in one number, ascending.
  private var pairs: [UInt64] = []
  private var composites: [UInt32] = []

  init(_ text: StaticString) {
    var packed = PackedNumbers(text)
    var first: UInt32 = 0
    while let distance = packed.next(), let second = packed.next(), let offset = packed.next() {
      first += distance
      pairs.append(UInt64(first) << 32 | UInt64(second))
      composites.append(UInt32(truncatingIfNeeded: Int(first) + PackedNumbers.signed(offset)))
    }
  }

  /// - Complexity: logarithmic in the number of pairs.
  subscript(first: UInt32, second: UInt32) -> UInt32? {
    let pair = UInt64(first) << 32 | UInt64(second)
    var (low, high) = (0, pairs.count)
    while low < high {
      let middle = (low + high) / 2
      if pairs[middle] < pair { low = middle + 1 } else { high = middle }
    }
    return low < pairs.count && pairs[low] == pair ? composites[low] : nil
  }
}
