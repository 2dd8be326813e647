import Foundation

/// What the beginning of a README.md says between two lines of `---`, as far as GGUF has keys for it.
///
/// Of YAML it reads what cards are written in: keys with a word, a quoted text, a list or a folded text. Keys whose values are anything else
/// are as if they were not there.
package struct ModelCard {
  /// A value: one text, or a list of them.
  enum Value: Equatable {
    case text(String)
    case list([String])

    /// The texts of both kinds.
    var texts: [String] {
      switch self {
      case .text(let text): [text]
      case .list(let texts): texts
      }
    }
  }

  private var values: [String: Value] = [:]

  package init() {}

  package init(_ text: String) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
      String($0).replacing("\t", with: "  ")
    }
    guard lines.first == "---" else { return }
    var entry: (key: String, lines: [String])?
    for line in lines.dropFirst() {
      if line == "---" { break }
      if let key = ModelCard.key(line) {
        if let entry { add(entry) }
        let start = line.index(line.startIndex, offsetBy: key.text.count + key.markCount)
        entry = (key.text, [String(line[start...])])
      } else {
        entry?.lines.append(line)
      }
    }
    if let entry { add(entry) }
  }

  subscript(key: String) -> Value? { values[key] }

  func text(_ key: String) -> String? {
    if case .text(let text) = values[key] { text } else { nil }
  }

  private mutating func add(_ entry: (key: String, lines: [String])) {
    // The first of a repeated key would be lost in YAML too.
    values[entry.key] = ModelCard.value(entry.lines)
  }

  /// The key that a line begins at its margin; nil for a line that goes on with a value.
  private static func key(_ line: String) -> (text: String, markCount: Int)? {
    guard let first = line.first, first != " ", first != "#", first != "-" else { return nil }
    guard let match = line.prefixMatch(of: /([A-Za-z0-9_.-]+)(:)(?= |$)/) else { return nil }
    return (String(match.output.1), 1)
  }

  private static func value(_ lines: [String]) -> Value? {
    let lines = lines.map(withoutComment)
    let first = lines[0].trimmingCharacters(in: .whitespaces)
    let rest = lines.dropFirst().filter { !$0.trimmingCharacters(in: .whitespaces).isEmpty }
    if first.isEmpty { return list(Array(rest)) }
    if first.hasPrefix("[") { return flow(([first] + rest).joined(separator: " ")) }
    if first.wholeMatch(of: /[|>][+-]?/) != nil { return folded(Array(lines.dropFirst()), first) }
    let text = ([first] + rest.map { $0.trimmingCharacters(in: .whitespaces) }).joined(separator: " ")
    return scalar(text).map { .text($0) }
  }

  private static func withoutComment(_ line: String) -> String {
    let trimmed = line.trimmingCharacters(in: .whitespaces)
    if trimmed.hasPrefix("#") { return "" }
    // A quoted text may have one inside.
    guard !trimmed.contains("\""), !trimmed.contains("'"), let range = line.range(of: " #") else { return line }
    return String(line[..<range.lowerBound])
  }

  /// `- one` in each line.
  private static func list(_ lines: [String]) -> Value? {
    guard let first = lines.first else { return nil }
    let items = lines.map { $0.trimmingCharacters(in: .whitespaces) }
    guard first.drop(while: { $0 == " " }).hasPrefix("-") else {
      // A text on lines of its own; an object has a key first.
      guard key(items[0]) == nil else { return nil }
      return scalar(items.joined(separator: " ")).map { .text($0) }
    }
    var texts: [String] = []
    for item in items {
      guard item.hasPrefix("- ") || item == "-" else { return nil }
      let text = item.dropFirst().trimmingCharacters(in: .whitespaces)
      // Lists of objects are nothing that a key is made of.
      guard key(text) == nil, let text = scalar(text) else { return nil }
      texts.append(text)
    }
    return .list(texts)
  }

  /// `[one, two]`
  private static func flow(_ text: String) -> Value? {
    let text = text.trimmingCharacters(in: .whitespaces)
    guard text.hasSuffix("]") else { return nil }
    let items = text.dropFirst().dropLast().split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let texts = items.filter { !$0.isEmpty }.compactMap(scalar)
    return .list(texts)
  }

  /// A text in lines of its own: `|` keeps them, `>` joins them.
  private static func folded(_ lines: [String], _ mark: String) -> Value? {
    let margin = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    let texts = lines.map { String($0.dropFirst(margin)) }
    var text = texts.joined(separator: mark.hasPrefix("|") ? "\n" : " ").trimmingCharacters(in: .whitespacesAndNewlines)
    if !mark.hasSuffix("-") { text += "\n" }
    return .text(text)
  }

  /// A word, or a quoted text; nil for nothing, and for what is no plain text.
  private static func scalar(_ text: String) -> String? {
    if text.count > 1, let quote = text.first, quote == "\"" || quote == "'", text.last == quote {
      let inside = String(text.dropFirst().dropLast())
      return quote == "'"
        ? inside.replacing("''", with: "'")
        : inside.replacing("\\\"", with: "\"").replacing("\\n", with: "\n").replacing("\\\\", with: "\\")
    }
    guard let first = text.first, !"&*!{}[]|>%@`\"'".contains(first), !["null", "~", "Null", "NULL"].contains(text)
    else {
      return nil
    }
    return text
  }
}
