/// Writes a regular expression as PCRE2 reads it, over atoms instead of characters (see ``ScalarAtoms``).
struct PCRE2Emitter {
  let atoms: ScalarAtoms

  func pattern(_ node: RegexNode) -> String {
    switch node {
    case .set(let set): return bracket(set)
    case .sequence(let nodes): return nodes.map(pattern).joined()
    case .alternation(let nodes): return "(?:" + nodes.map(pattern).joined(separator: "|") + ")"
    case .atomic(let node): return "(?>" + pattern(node) + ")"
    case .look(let look, let node):
      return (look.isBehind ? "(?<" : "(?") + (look.isNegated ? "!" : "=") + pattern(node) + ")"
    case .repeat(let node, let count): return repeated(node) + quantifier(count)
    case .anchor(.textStart): return "\\A"
    case .anchor(.textEnd): return "\\z"
    }
  }

  /// What a count may stand after.
  private func repeated(_ node: RegexNode) -> String {
    switch node {
    case .set, .alternation, .atomic: pattern(node)
    default: "(?:" + pattern(node) + ")"
    }
  }

  private func quantifier(_ count: RegexNode.Repeat) -> String {
    let mode =
      switch count.mode {
      case .greedy: ""
      case .lazy: "?"
      case .possessive: "+"
      }
    let limits =
      switch (count.minimum, count.maximum) {
      case (0, nil): "*"
      case (1, nil): "+"
      case (0, 1): "?"
      case (let minimum, nil): "{\(minimum),}"
      case (let minimum, let maximum?): "{\(minimum),\(maximum)}"
      }
    return limits + mode
  }

  private func bracket(_ set: ScalarSet) -> String {
    let members = atoms.atoms(of: set).sorted()
    if members.isEmpty { return "(?!)" }
    if members.count == 1 { return escape(members[0]) }
    return "[" + members.map(escape).joined() + "]"
  }

  private func escape(_ atom: UInt8) -> String {
    let digits = String(atom, radix: 16)
    return "\\x" + (atom < 16 ? "0" : "") + digits
  }
}
