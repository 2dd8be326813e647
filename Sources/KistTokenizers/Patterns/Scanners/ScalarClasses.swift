/// What the scanners ask of a scalar, as bits of one byte.
///
/// No `OptionSet`: sets written as `[.letter, .mark]` were made anew for every scalar.
struct ScalarClasses: Sendable {
  let rawValue: UInt8

  @inline(__always) init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `\p{L}`
  @inline(__always) static var letter: Self { Self(rawValue: 1) }
  /// `\p{N}`
  @inline(__always) static var number: Self { Self(rawValue: 2) }
  /// `\s`
  @inline(__always) static var space: Self { Self(rawValue: 4) }
  /// `[\r\n]`
  @inline(__always) static var newline: Self { Self(rawValue: 8) }
  /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
  @inline(__always) static var upper: Self { Self(rawValue: 16) }
  /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
  @inline(__always) static var lower: Self { Self(rawValue: 32) }
  /// `\p{M}`
  @inline(__always) static var mark: Self { Self(rawValue: 64) }
  /// `[\p{P}\p{S}]`
  @inline(__always) static var symbol: Self { Self(rawValue: 128) }
  @inline(__always) static var none: Self { Self(rawValue: 0) }

  /// Either.
  @inline(__always) static func | (left: Self, right: Self) -> Self { Self(rawValue: left.rawValue | right.rawValue) }

  /// Whether the two have a class in common.
  @inline(__always) func overlaps(_ other: Self) -> Bool { rawValue & other.rawValue != 0 }
}

/// The classes of every scalar: one byte each, 1.1 MB of which a text touches little.
@safe final class ScalarClassTable: Sendable {
  private nonisolated(unsafe) let memory: UnsafeMutablePointer<UInt8>

  static let shared = ScalarClassTable()

  private init() {
    // Zeroed by the system, page by page as they are touched.
    unsafe memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 0x110000)
    unsafe memory.initialize(repeating: 0, count: 0x110000)
    add(.letter, "L")
    add(.number, "N")
    add(.space, "White_Space")
    for name in ["Lu", "Lt", "Lm", "Lo", "M"] { add(.upper, name) }
    for name in ["Ll", "Lm", "Lo", "M"] { add(.lower, name) }
    add(.mark, "M")
    add(.symbol, "P")
    add(.symbol, "S")
    for newline in [0x0A, 0x0D] { unsafe memory[newline] |= ScalarClasses.newline.rawValue }
  }

  deinit { unsafe memory.deallocate() }

  private func add(_ classes: ScalarClasses, _ property: String) {
    for range in UnicodeTable.ranges(ofProperty: property) ?? [] {
      for scalar in range { unsafe memory[Int(scalar)] |= classes.rawValue }
    }
  }

  /// The table, for as long as the program runs: ``shared`` is never freed.
  nonisolated(unsafe) static let pointer: UnsafePointer<UInt8> = unsafe UnsafePointer(shared.memory)
}
