/// What decides where extended grapheme clusters end. Raw values are those of the packed table.
enum GraphemeClass: UInt8 {
  case other, carriageReturn, lineFeed, control
  /// `Extend`, by Indic_Conjunct_Break.
  case extend, extendConjunct, linker
  case joiner, regionalIndicator, prepend, spacingMark
  case leadingJamo, vowelJamo, trailingJamo, syllable
  case pictographic, consonant
}

extension UnicodeTable {
  /// Raw values of `GraphemeClass`: of Unicode 17.0, as unicode-segmentation 1.13.3 (tokenizers 0.23.3) has them.
  static let graphemeMap = ScalarMap(PackedRuns(graphemeRuns), beyond: 0)
}

/// Finds the ends of extended grapheme clusters, a scalar at a time. Source: UAX #29, table 1a to 1c, GB3 to GB999.
struct GraphemeBreaks {
  private var previous = GraphemeClass.other
  /// The syllable before here has no trailing consonant (LV).
  private var previousIsOpen = false
  /// The regional indicators in a row before here are odd in number.
  private var isOddIndicator = false
  /// A pictograph stands before here, with nothing but extenders between; and they end in a joiner.
  private var followsPictograph = false
  /// A consonant stands before here, with nothing but extenders and linkers between; and whether a linker is among these.
  private var followsConsonant = false
  private var hasLinker = false
  private var isAtStart = true

  /// Takes the next scalar.
  ///
  /// - Returns: Whether a cluster ends before it.
  mutating func breaksBefore(_ scalar: UInt32) -> Bool {
    let next = GraphemeClass(rawValue: UnicodeTable.graphemeMap[scalar]) ?? .other
    let isOpen = next == .syllable && (scalar &- 0xAC00) % 28 == 0
    let breaks = isAtStart || !joins(next, isOpen: isOpen)
    remember(next)
    previousIsOpen = isOpen
    isAtStart = false
    return breaks
  }

  /// - Parameter isOpen: Whether a syllable has no trailing consonant (LV).
  private func joins(_ next: GraphemeClass, isOpen: Bool) -> Bool {
    switch (previous, next) {
    case (.carriageReturn, .lineFeed): true
    case (.control, _), (.carriageReturn, _), (.lineFeed, _): false
    case (_, .control), (_, .carriageReturn), (_, .lineFeed): false
    case (.leadingJamo, .leadingJamo), (.leadingJamo, .vowelJamo), (.leadingJamo, .syllable): true
    case (.syllable, .vowelJamo): previousIsOpen
    case (.vowelJamo, .vowelJamo), (.vowelJamo, .trailingJamo): true
    case (.syllable, .trailingJamo), (.trailingJamo, .trailingJamo): true
    case (_, .extend), (_, .extendConjunct), (_, .linker), (_, .joiner), (_, .spacingMark): true
    case (.prepend, _): true
    case (_, .consonant): followsConsonant && hasLinker
    case (.joiner, .pictographic): followsPictograph
    case (.regionalIndicator, .regionalIndicator): isOddIndicator
    default: false
    }
  }

  private mutating func remember(_ next: GraphemeClass) {
    isOddIndicator = next == .regionalIndicator && !isOddIndicator
    switch next {
    case .pictographic: followsPictograph = true
    case .extend, .extendConjunct, .linker: followsPictograph = followsPictograph && previous != .joiner
    case .joiner: followsPictograph = followsPictograph && previous != .joiner
    default: followsPictograph = false
    }
    switch next {
    case .consonant: (followsConsonant, hasLinker) = (true, false)
    case .linker: hasLinker = true
    case .extendConjunct, .joiner: break
    default: (followsConsonant, hasLinker) = (false, false)
    }
    previous = next
  }
}
