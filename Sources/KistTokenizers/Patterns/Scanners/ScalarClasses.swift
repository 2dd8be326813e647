/// What the scanners ask of a scalar, as bits of one byte.
struct ScalarClasses: OptionSet, Sendable {
  let rawValue: UInt8

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `\p{L}`
  static let letter = ScalarClasses(rawValue: 1)
  /// `\p{N}`
  static let number = ScalarClasses(rawValue: 2)
  /// `\s`
  static let space = ScalarClasses(rawValue: 4)
  /// `[\r\n]`
  static let newline = ScalarClasses(rawValue: 8)
  /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
  static let upper = ScalarClasses(rawValue: 16)
  /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
  static let lower = ScalarClasses(rawValue: 32)
  /// `\p{M}`
  static let mark = ScalarClasses(rawValue: 64)
  /// `[\p{P}\p{S}]`
  static let symbol = ScalarClasses(rawValue: 128)
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
