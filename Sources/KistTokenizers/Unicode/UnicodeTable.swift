/// What Unicode says of scalars: tables made by `Fixtures/make/unicode_tables.py`, packed in `Data/`, unpacked when first asked for.
///
/// The libraries whose ids are reproduced do not have one version of Unicode. These tables are of ``version``; what a library has
/// otherwise stands in a table of its own that names it.
package enum UnicodeTable {
  /// That of Oniguruma 6.9.10 (tokenizers 0.23.3) and of regex-syntax 0.8.11 (tiktoken 0.14.0): checked over all scalars.
  package static let version = "16.0.0"

  /// The general category of a scalar. What is not a scalar is `Cn`, a surrogate `Cs`.
  package static func category(_ scalar: UInt32) -> GeneralCategory {
    GeneralCategory(rawValue: categoryMap[scalar]) ?? .cn
  }

  /// Raw values of ``GeneralCategory`` by scalar.
  package static let categoryMap = ScalarMap(PackedRuns(categoryRuns), beyond: GeneralCategory.cn.rawValue)

  /// Whether Unicode calls a scalar white space: also what Rust's `char::is_whitespace` says.
  package static func isWhiteSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }
}

/// A general category, in the order of the packed table.
package enum GeneralCategory: UInt8, Sendable, CaseIterable {
  case lu, ll, lt, lm, lo
  case mn, mc, me
  case nd, nl, no
  case pc, pd, ps, pe, pi, pf, po
  case sm, sc, sk, so
  case zs, zl, zp
  case cc, cf, cs, co, cn
}
