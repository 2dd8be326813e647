import Foundation
import TestSupport
import Testing

/// `kist neighbors`, `analogy`, `words`, `attention`, `trace` and `score`, as a person runs them.
@Suite struct MathematicsCommandTests {
  private static let world = repository + "/Fixtures/world-llama"
  private static let families = repository + "/Fixtures/families/"

  @Test func `what is close to a word is a table, or JSON`() throws {
    let run = try kist("analogy", Self.world, "king", "man", "woman", "-k", "3")
    #expect(run.status == 0)
    let rows = run.output.split(separator: "\n").drop { !$0.contains("cosine") }.dropFirst()
    #expect(rows.count == 3 && rows.first?.contains("' queen'") == true)
    #expect(run.output.contains("'king' is token") && run.output.contains("in a sentence"))
    let json = try kist("neighbors", Self.world, "king", "-k", "4", "--json").json()
    #expect((json["neighbors"] as? [Any])?.count == 4)
    #expect((json["words"] as? [[String: Any]])?.first?["form"] as? String == "in a sentence")
    let refused = try kist("neighbors", Self.world, "democracy")
    #expect(refused.status == 2 && refused.output.isEmpty && refused.errors.contains("--mean"))
    #expect(try kist("neighbors", Self.world, "democracy", "--mean").output.contains("the mean of tokens"))
    let noTokenizer = try kist("neighbors", Self.families + "llama", "king")
    #expect(noTokenizer.status == 2 && noTokenizer.errors.contains("tokenizer"))
  }

  @Test func `a container has the same neighbors, packed or not`() throws {
    let folder = try TemporaryFolder()
    let expected = try kist("neighbors", Self.world, "queen").output
    for pack in ["auto", "none"] {
      let path = folder.path + "/\(pack).kist"
      #expect(try kist("convert", Self.world, "-o", path, "--pack", pack, "--no-probes").status == 0)
      #expect(try kist("neighbors", path, "queen").output == expected)
    }
  }

  @Test func `words are compared, and drawn on a map that is not overwritten`() throws {
    let folder = try TemporaryFolder()
    let map = folder.path + "/map.svg"
    let run = try kist("words", Self.world, "king", "queen", "dog", "-o", map)
    #expect(run.status == 0 && run.output.contains("1.000"))
    #expect(try String(contentsOfFile: map, encoding: .utf8).contains("</svg>"))
    #expect(try kist("words", Self.world, "king", "queen", "dog", "-o", map).status == 2)
    #expect(try kist("words", Self.world, "king", "queen", "dog", "-o", map, "--force").status == 0)
    #expect(try kist("words", Self.world, "king").status == 64)
  }

  @Test func `attention is a map of blocks, a page, or an array`() throws {
    let folder = try TemporaryFolder()
    let text = "The king sits on the throne"
    let run = try kist("attention", Self.world, text, "--layer", "1", "--head", "2")
    #expect(run.status == 0 && run.output.contains("layer 1, head 2") && run.output.contains("██"))
    // No colours where there is no terminal.
    #expect(!run.output.contains("\u{1B}"))
    let array = folder.path + "/a.npy"
    #expect(try kist("attention", Self.world, text, "-o", array).status == 0)
    #expect(try readFile(array).count == 128 + 4 * 3 * 4 * 36)
    let json = try kist("attention", Self.world, text, "--layer", "1", "--head", "2", "--json").json()
    let weights = try #require(json["weights"] as? [[[[Double]]]])
    #expect(weights.count == 1 && weights[0].count == 1 && weights[0][0].count == 6)
    #expect(weights[0][0].allSatisfy { abs($0.reduce(0, +) - 1) < 1e-5 })
    let page = folder.path + "/a.html"
    #expect(try kist("attention", Self.families + "bert", "--tokens", "1,2,3", "-o", page).status == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("2 layers of 3 heads over 3 tokens"))
    #expect(try kist("attention", Self.world, text, "--head", "1").status == 64)
    #expect(try kist("attention", Self.world, text, "--layer", "3").errors.contains("layers 0 to 2"))
    #expect(try kist("attention", Self.world, text, "--layer", "1", "--head", "4").errors.contains("heads 0 to 3"))
    #expect(try kist("attention", Self.world, "").errors.contains("is empty"))
  }

  @Test func `a trace shows the steps and what each layer would predict`() throws {
    let run = try kist("trace", Self.world, "The king sits on the")
    #expect(run.status == 0 && run.output.contains("layers.2.attention_output") && run.output.contains("layer 2"))
    let json = try kist("trace", Self.families + "bert", "--tokens", "1,2,3", "--json").json()
    let stream = try #require(json["stream"] as? [[String: Any]])
    #expect(stream.count == 3 && stream.allSatisfy { ($0["lens"] as? [Any])?.isEmpty == true })
    #expect(try kist("trace", Self.world, "The king", "--position", "9").status == 2)
  }

  @Test func `a text is scored from a file and from standard input`() throws {
    let folder = try TemporaryFolder()
    let run = try kist("score", Self.world, "-", "--per-token", input: "The king sits on the throne.")
    #expect(run.status == 0 && run.output.contains("perplexity") && run.output.contains("' throne'"))
    let file = Self.world + "/held-out.txt"
    let page = folder.path + "/s.html"
    let json = try kist("score", Self.world, file, "--json", "--html", page, "--per-token").json()
    #expect(json["tokens"] as? Int == (json["per_token"] as? [Any])?.count)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("Loss of each token"))
    #expect(try kist("score", Self.world, "-", input: "").errors.contains("too short"))
    #expect(try kist("score", Self.families + "bert", "--tokens", "1,2,3").errors.contains("encoder"))
    #expect(try kist("score", Self.world).status == 64)
    #expect(try kist("score", Self.world, file, "--stride", "300").status == 2)
  }

  @Test func `a report has the probes' verdict`() throws {
    let folder = try TemporaryFolder()
    let (packed, page) = (folder.path + "/w.kist", folder.path + "/r.html")
    #expect(try kist("convert", Self.world, "-o", packed).status == 0)
    #expect(try kist("inspect", packed, "--html", page).status == 0)
    let text = try String(contentsOfFile: page, encoding: .utf8)
    #expect(text.contains("computes the same, by the word of kist") && text.contains("right, of all"))
    #expect(try kist("inspect", packed, "--html", page).status == 2)
    #expect(try kist("inspect", packed, "--html", page, "--stats").status == 64)
  }

  @Test func `docs/mathematics.md links to code that is there, and shows every verb`() throws {
    let text = try String(contentsOfFile: repository + "/docs/mathematics.md", encoding: .utf8)
    let links = text.matches(of: #/\[(?<name>[^\]]+)\]\((?<path>\.\.\/[^)]+)\)/#)
    #expect(links.count > 20)
    for link in links {
      let file = repository + "/docs/" + link.path
      guard link.name.hasPrefix("`") else {
        #expect(FileManager.default.fileExists(atPath: file), "\(link.path)")
        continue
      }
      let code = try String(contentsOfFile: file, encoding: .utf8)
      #expect(code.contains(link.name.dropFirst().dropLast()), "\(link.name) in \(link.path)")
    }
    let verbs = Set(text.matches(of: #/\$ (?:echo .* \| )?kist (?<verb>[a-z]+)/#).map { String($0.verb) })
    #expect(
      verbs.isSuperset(of: ["tokenizer", "neighbors", "analogy", "words", "attention", "trace", "predict", "score"]))
  }
}
