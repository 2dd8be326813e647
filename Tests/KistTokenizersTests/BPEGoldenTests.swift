import KistTokenizers
import TestSupport
import Testing

/// Against ids from tokenizers, sentencepiece and tiktoken.
struct BPEGoldenTests {
  @Test func `there are models of every library`() throws {
    #expect(BPEFixture.names.count >= 30)
  }

  @Test(arguments: BPEFixture.names)
  func `pieces have the ids of the reference`(_ name: String) throws {
    let fixture = try BPEFixture(name)
    let model = try fixture.model
    #expect(fixture.cases.count >= 25)
    for (piece, ids) in fixture.cases {
      #expect(model.ids(piece) == ids, "\(name): \(String(decoding: piece, as: UTF8.self))")
    }
  }

  @Test(arguments: BPEFixture.names)
  func `pieces that came before have the same ids`(_ name: String) throws {
    let fixture = try BPEFixture(name)
    let model = try fixture.model
    var scratch = BPEScratch()
    for round in 0..<3 {
      var ids: [UInt32] = []
      for (piece, _) in fixture.cases { model.encode(piece, into: &ids, &scratch) }
      #expect(ids == fixture.cases.flatMap(\.ids), "round \(round)")
    }
  }

  @Test(arguments: BPEFixture.names)
  func `many pieces at once have the same ids`(_ name: String) throws {
    let fixture = try BPEFixture(name)
    let model = try fixture.model
    var (text, ranges): ([UInt8], [Range<Int>]) = ([], [])
    for (piece, _) in fixture.cases + fixture.cases {
      ranges.append(text.count..<text.count + piece.count)
      text += piece
    }
    var scratch = BPEScratch()
    for _ in 0..<2 {
      var ids: [UInt32] = []
      unsafe text.withUnsafeBytes { unsafe model.encode($0, pieces: ranges, into: &ids, &scratch) }
      #expect(ids == (fixture.cases + fixture.cases).flatMap(\.ids))
    }
  }

  @Test(arguments: BPEFixture.names)
  func `the last step of a merge shows the ids`(_ name: String) throws {
    let fixture = try BPEFixture(name)
    let model = try fixture.model
    for (piece, ids) in fixture.cases where piece.count < 60 {
      let trace = model.mergeSteps(of: piece)
      #expect(trace.ids == ids)
      if fixture.definition.unknown == nil, fixture.definition.endOfWordSuffix.isEmpty, name.hasPrefix("random") {
        let spelled = trace.steps.last?.symbols ?? trace.symbols
        #expect(spelled.joined().elementsEqual(piece.filter { $0 != UInt8(ascii: "x") }))
      }
    }
  }
}
