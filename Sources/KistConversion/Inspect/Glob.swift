import KistCore

/// A pattern for names of tensors: `*` is any run of characters (dots too), `?` one character, `[a-c]` one of a set,
/// `[!a-c]` one that is not, `\` takes the next character as it is. It has to match the whole name.
public struct Glob: Sendable {
  fileprivate enum Part: Sendable {
    case anyRun
    case anyOne
    case one(Unicode.Scalar)
    case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
  }

  public let pattern: String
  private let parts: [Part]

  /// - Throws: `invalid` when a set is not closed, or holds a range that runs backwards.
  public init(_ pattern: String) throws(KistError) {
    self.pattern = pattern
    var scanner = Scanner(pattern)
    var parts: [Part] = []
    while let part = try scanner.nextPart() { parts.append(part) }
    self.parts = parts
  }

  /// - Complexity: O(length of the name × length of the pattern)
  public func matches(_ name: String) -> Bool {
    let scalars = Array(name.unicodeScalars)
    var position = 0
    var part = 0
    // Where to go on when the rest does not match: the last run takes one character more.
    var retry: (part: Int, position: Int)?
    while position < scalars.count {
      if part < parts.count, case .anyRun = parts[part] {
        retry = (part, position)
        part += 1
      } else if part < parts.count, parts[part].matches(scalars[position]) {
        position += 1
        part += 1
      } else if let last = retry {
        retry = (last.part, last.position + 1)
        position = last.position + 1
        part = last.part + 1
      } else {
        return false
      }
    }
    return parts[part...].allSatisfy { if case .anyRun = $0 { true } else { false } }
  }

  /// The elements whose name matches one of the patterns, in their own order; all when there is no pattern.
  ///
  /// - Throws: `missing` when a pattern matches nothing.
  package static func filter<Element>(
    _ elements: [Element], _ patterns: [String], name: KeyPath<Element, String>, file: String
  ) throws(KistError) -> [Element] {
    guard !patterns.isEmpty else { return elements }
    var isTaken = [Bool](repeating: false, count: elements.count)
    for pattern in patterns {
      let glob = try Glob(pattern)
      let matching = elements.indices.filter { glob.matches(elements[$0][keyPath: name]) }
      guard !matching.isEmpty else {
        throw KistError(
          .missing, file: file, "no tensor matches '\(pattern)'",
          advice: "`kist inspect` lists the names; * stands for any characters, dots too")
      }
      for index in matching { isTaken[index] = true }
    }
    return elements.indices.filter { isTaken[$0] }.map { elements[$0] }
  }
}

extension Glob.Part {
  fileprivate func matches(_ scalar: Unicode.Scalar) -> Bool {
    switch self {
    case .anyRun: false
    case .anyOne: true
    case .one(let own): own == scalar
    case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
    }
  }
}

/// Reads a pattern from left to right.
private struct Scanner {
  private let pattern: String
  private var rest: Substring.UnicodeScalarView

  init(_ pattern: String) {
    self.pattern = pattern
    rest = Substring(pattern).unicodeScalars
  }

  mutating func nextPart() throws(KistError) -> Glob.Part? {
    switch rest.popFirst() {
    case nil: return nil
    case "*": return .anyRun
    case "?": return .anyOne
    case "[": return try set()
    case "\\": return .one(rest.popFirst() ?? "\\")
    case let scalar?: return .one(scalar)
    }
  }

  private mutating func set() throws(KistError) -> Glob.Part {
    let isNegated = rest.first == "!" || rest.first == "^"
    if isNegated { rest.removeFirst() }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while let low = rest.popFirst() {
      // A bracket that comes first belongs to the set.
      if low == "]", !ranges.isEmpty { return .oneOf(ranges, isNegated: isNegated) }
      var high = low
      if rest.first == "-", let end = rest.dropFirst().first, end != "]" {
        rest.removeFirst(2)
        high = end
      }
      guard low <= high else {
        throw KistError(.invalid, field: "'\(pattern)'", "the range \(low)-\(high) runs backwards")
      }
      ranges.append(low...high)
    }
    throw KistError(.invalid, field: "'\(pattern)'", "a [ is not closed", advice: "write \\[ for the character itself")
  }
}
