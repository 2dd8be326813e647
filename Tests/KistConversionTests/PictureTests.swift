import Foundation
import KistConversion
import KistCore
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Documents for people to look at.
@Suite struct PictureTests {
  @Test func `text is escaped where it comes in`() {
    #expect(Markup.escaped("a<b> & \"c\" 'd'") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;")
    #expect(Markup.escaped("\u{1B}[31m\u{0}\u{FFFE}\n\t") == "\u{FFFD}[31m\u{FFFD}\u{FFFD}\n\t")
    let markup = Markup.element("text", ["title": "\"><script>"], "</text><script>alert(1)</script>")
    #expect(!markup.source.contains("<script"))
  }

  @Test func `a map of words is XML with a name for each point`() throws {
    let embeddings = try WordEmbeddings.open(path: "\(repository)/Fixtures/world-llama")
    let words = try ["king", "queen", "prince", "princess", "dog", "cat"].map { try embeddings.word($0) }
    let text = try WordMap(embeddings, words).picture(title: "a <b> & c").text
    let parser = XMLParser(data: Data(text.utf8))
    let reader = Reader()
    parser.delegate = reader
    #expect(parser.parse())
    #expect(reader.elements["circle"] == 6)
    for word in words { #expect(reader.texts.contains(word.text)) }
    #expect(text.contains("prefers-color-scheme"))
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [String: Int] = [:]
    var texts: [String] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) { elements[name, default: 0] += 1 }

    func parser(_ parser: XMLParser, foundCharacters string: String) { texts.append(string) }
  }

  @Test func `pages hold all that they need, and nothing of a text as markup`() throws {
    let model = try LoadedModel.open(path: "\(repository)/Fixtures/world-llama")
    let tokens = try model.tokensToRun("The </script><b>king & \"queen\"")
    let attention = try AttentionMaps(model, tokens: tokens, parallelism: Parallelism(threads: 1))
    let score = try TextScore(model, tokens: tokens, parallelism: Parallelism(threads: 1))
    let pages = [try attention.page(model: "a<b>"), score.page(model: "a<b>", text: "<i>")]
    for text in pages.map(\.text) {
      #expect(text.hasPrefix("<!doctype html>"))
      #expect(!text.contains("<b>") && !text.contains("<i>"))
      #expect(text.contains("color-scheme") && text.contains("width=device-width"))
      #expect(!text.contains("src=") && !text.contains("url("))
      // One pair for each of our own scripts.
      #expect(text.split(separator: "</script>").count == text.split(separator: "<script").count)
    }
  }
}
