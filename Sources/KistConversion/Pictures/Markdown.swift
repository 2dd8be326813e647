/// The blocks of a model card: headings, lists, code, tables as they are, paragraphs. What stands inside a line stays text.
package struct Markdown {
  /// Key and value of the YAML between the first lines of dashes, where it is plain.
  package private(set) var fields: [(key: String, value: String)] = []
  package private(set) var blocks: [Markup] = []

  package init(_ text: String) {
    // A character of its own in Swift, that a split at line feeds would miss.
    let text = text.replacing("\r\n", with: "\n")
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") {
      readFields(lines[1..<end])
      lines.removeFirst(end + 1)
    }
    readBlocks(lines)
  }

  private mutating func readFields(_ lines: ArraySlice<String>) {
    for line in lines {
      if line.hasPrefix("- "), let last = fields.indices.last {
        fields[last].value += (fields[last].value.isEmpty ? "" : ", ") + line.dropFirst(2)
      } else if let colon = line.firstIndex(of: ":"), line.first?.isLetter == true {
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        fields.append((String(line[..<colon]), String(value)))
      }
    }
    fields.removeAll { $0.value.isEmpty }
  }

  private mutating func readBlocks(_ lines: [String]) {
    var paragraph: [String] = []
    var items: [Markup] = []
    func isTable(_ line: String) -> Bool { line.hasPrefix("|") }
    var index = 0
    func flush(_ blocks: inout [Markup]) {
      if !paragraph.isEmpty { blocks.append(.element("p", [:], paragraph.joined(separator: " "))) }
      if !items.isEmpty { blocks.append(.element("ul", [:], items)) }
      (paragraph, items) = ([], [])
    }
    while index < lines.count {
      let line = lines[index]
      let trimmed = line.drop { $0 == " " }
      index += 1
      if trimmed.hasPrefix("```") || isTable(line) {
        flush(&blocks)
        let isCode = !isTable(line)
        var content = isCode ? [] : [line]
        while index < lines.count,
          isCode ? !lines[index].drop(while: { $0 == " " }).hasPrefix("```") : isTable(lines[index])
        {
          content.append(lines[index])
          index += 1
        }
        if isCode { index += 1 }
        blocks.append(.element("pre", ["class": "scroll"], content.joined(separator: "\n")))
      } else if line.hasPrefix("#") {
        flush(&blocks)
        blocks.append(.element("h3", [:], String(line.drop { $0 == "#" }.drop { $0 == " " })))
      } else if trimmed.hasPrefix("- ") || trimmed.hasPrefix("* ") {
        if !paragraph.isEmpty { flush(&blocks) }
        items.append(.element("li", [:], String(trimmed.dropFirst(2))))
      } else if trimmed.isEmpty {
        flush(&blocks)
      } else {
        if !items.isEmpty { flush(&blocks) }
        paragraph.append(String(trimmed))
      }
    }
    flush(&blocks)
  }
}
