import KistCore

/// A part of an SVG or HTML document. Text and attributes are escaped here and nowhere else.
public struct Markup: Sendable {
  public private(set) var source: String

  private init(source: String) { self.source = source }

  /// Text as it is to be read.
  public static func text(_ text: String) -> Markup { Markup(source: escaped(text)) }

  /// An element with its attributes and what is in it.
  public static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ content: [Markup] = []
  ) -> Markup {
    var source = "<\(name)"
    for (key, value) in attributes { source += " \(key)=\"\(escaped(value))\"" }
    source += ">"
    guard !voidElements.contains("\(name)") else { return Markup(source: source) }
    for part in content { source += part.source }
    return Markup(source: source + "</\(name)>")
  }

  public static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ text: String
  ) -> Markup { element(name, attributes, [.text(text)]) }

  /// A style sheet of our own.
  static func style(_ rules: String) -> Markup { Markup(source: "<style>\(rules)</style>") }

  /// A script of our own.
  static func script(_ code: String) -> Markup { Markup(source: "<script>\(code)</script>") }

  /// Data for a script, to be found by its id.
  static func data(id: StaticString, json: String) -> Markup {
    // The only thing that could end the element early.
    Markup(source: "<script type=\"application/json\" id=\"\(id)\">\(json.replacing("<", with: "\\u003c"))</script>")
  }

  /// A document of HTML or, with the namespace in place, of SVG.
  static func document(_ declaration: String, _ root: Markup) -> String { declaration + root.source + "\n" }

  private static let voidElements: Set<String> = ["meta", "input", "br", "hr", "img", "col", "link"]

  /// Text between tags or in an attribute: what XML gives a meaning is written as a reference, what it forbids as U+FFFD.
  package static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
