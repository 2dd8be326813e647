/// A regular expression, free of its dialect: every class is an explicit set of scalars.
///
/// ```
/// text ─ RegexParser (per dialect) → RegexNode ─ ScalarAtoms + PCRE2Emitter → PCRE2
/// ```
indirect enum RegexNode: Equatable, Sendable {
  /// One scalar of a set.
  case set(ScalarSet)
  case sequence([RegexNode])
  /// The first that leads to a match.
  case alternation([RegexNode])
  case atomic(RegexNode)
  case look(Look, RegexNode)
  case `repeat`(RegexNode, Repeat)
  case anchor(Anchor)

  static let empty = RegexNode.sequence([])

  struct Look: Equatable, Sendable {
    var isBehind: Bool
    var isNegated: Bool
  }

  struct Repeat: Equatable, Sendable {
    enum Mode: Sendable { case greedy, lazy, possessive }

    var minimum: Int
    /// Nil has no limit.
    var maximum: Int?
    var mode = Mode.greedy
  }

  enum Anchor: Sendable { case textStart, textEnd }

  /// Whether it can match nothing.
  var matchesEmpty: Bool {
    switch self {
    case .set: false
    case .sequence(let nodes): nodes.allSatisfy(\.matchesEmpty)
    case .alternation(let nodes): nodes.contains(where: \.matchesEmpty)
    case .atomic(let node): node.matchesEmpty
    case .look, .anchor: true
    case .repeat(let node, let count): count.minimum == 0 || node.matchesEmpty
    }
  }

  /// All sets, in order.
  var sets: [ScalarSet] {
    switch self {
    case .set(let set): [set]
    case .sequence(let nodes), .alternation(let nodes): nodes.flatMap(\.sets)
    case .atomic(let node), .look(_, let node), .repeat(let node, _): node.sets
    case .anchor: []
    }
  }

  static func ahead(_ node: RegexNode, negated: Bool = false) -> RegexNode {
    .look(Look(isBehind: false, isNegated: negated), node)
  }

  static func behind(_ node: RegexNode, negated: Bool = false) -> RegexNode {
    .look(Look(isBehind: true, isNegated: negated), node)
  }

  /// Where a scalar of a set stands beside one that is none, or beside an end of the text.
  static func boundary(of set: ScalarSet, negated: Bool) -> RegexNode {
    let (before, after) = (behind(.set(set)), ahead(.set(set)))
    let (notBefore, notAfter) = (behind(.set(set), negated: true), ahead(.set(set), negated: true))
    return negated
      ? .alternation([.sequence([before, after]), .sequence([notBefore, notAfter])])
      : .alternation([.sequence([before, notAfter]), .sequence([notBefore, after])])
  }
}
