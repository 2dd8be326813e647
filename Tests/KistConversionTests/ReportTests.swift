import Foundation
import KistConversion
import KistCore
import KistFormat
import KistInference
import TestSupport
import Testing

/// What stands on the page that `kist inspect --html` writes.
@Suite struct ReportTests {
  @Test func `a treemap fills its frame with parts of the right areas`() {
    var random = SeededGenerator(seed: 11)
    let frame = Treemap.Rectangle(left: 2, top: 3, width: 160, height: 90)
    for count in [1, 2, 3, 17, 100] {
      var sizes = (0..<count).map { _ in Double.random(in: 0...10, using: &random) }
      if count > 3 { sizes[1] = 0 }
      let places = Treemap.layout(sizes, in: frame)
      let scale = frame.width * frame.height / sizes.reduce(0, +)
      for (size, place) in zip(sizes, places) {
        #expect(abs(place.width * place.height - size * scale) <= 1e-6)
        #expect(size == 0 || (place.left >= 2 - 1e-9 && place.left + place.width <= 162 + 1e-6))
        #expect(size == 0 || (place.top >= 3 - 1e-9 && place.top + place.height <= 93 + 1e-6))
      }
      for (index, one) in places.enumerated() where sizes[index] > 0 {
        for (next, other) in places.enumerated() where next > index && sizes[next] > 0 {
          let across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
          let down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
          #expect(across <= 1e-6 || down <= 1e-6)
        }
      }
    }
    #expect(Treemap.layout([], in: frame).isEmpty)
    #expect(Treemap.layout([0, 0], in: frame).allSatisfy { $0.width == 0 })
  }

  @Test func `a histogram counts every finite number once`() throws {
    let values: [Float] = [-1, 0, 0, 1, .nan, .infinity]
    let histogram = try #require(WeightHistogram("t", values))
    #expect((histogram.sampleCount, histogram.mean, histogram.minimum, histogram.maximum) == (4, 0, -1, 1))
    #expect(histogram.counts.reduce(0, +) == 4 && histogram.counts[WeightHistogram.binCount / 2] == 2)
    #expect(abs(histogram.standardDeviation - 0.5.squareRoot()) <= 1e-12)
    // One far out is counted at the end.
    let far = try #require(WeightHistogram("t", [Float](repeating: 0, count: 99) + [1000]))
    #expect(far.counts.last == 1)
    #expect(WeightHistogram("t", [.nan]) == nil)
    #expect(try #require(WeightHistogram("t", [3, 3])).counts.reduce(0, +) == 2)
  }

  @Test func `histograms are of the kinds of tensors, whatever their dtype`() throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 3)
    let checkpoint = try makeCheckpoint(
      [
        f32("layers.0.w", random.weights(5000)), f32("layers.1.w", random.weights(5000)),
        .tensor("h.bf16", dtype: .bf16, shape: [100], source: MemorySource(random.bf16Weights(100))),
        .tensor("ids", dtype: .i64, shape: [2], source: MemorySource([UInt8](repeating: 0, count: 16))),
      ], in: folder)
    let found = try WeightHistogram.all(
      of: checkpoint, parallelism: Parallelism(threads: 2), progress: NoProgress())
    #expect(found.map(\.pattern).sorted() == ["h.bf16", "layers.{0-1}.w"])
    #expect(found.map(\.sampleCount).sorted() == [100, 10_000])
    #expect(found.allSatisfy { abs($0.standardDeviation - 0.02) < 0.005 })
  }

  @Test func `a model card's blocks are read, and nothing in it is markup`() {
    let card = Markdown(
      "---\nlicense: mit\ntags:\n- a\n- b\n---\n# Title <b>\r\n\nSome\ntext\n\n* one\n* two\n```py\nx < 1\n```\n|a|b|\n|-|-|\n"
    )
    #expect(card.fields.map { "\($0.key)=\($0.value)" } == ["license=mit", "tags=a, b"])
    #expect(
      card.blocks.map(\.source) == [
        "<h3>Title &lt;b&gt;</h3>", "<p>Some text</p>", "<ul><li>one</li><li>two</li></ul>",
        "<pre class=\"scroll\">x &lt; 1</pre>", "<pre class=\"scroll\">|a|b|\n|-|-|</pre>",
      ])
    // Code that never ends, and fields that never end.
    #expect(Markdown("```\nx").blocks.count == 1)
    #expect(Markdown("---\na: b").blocks.count == 1)
  }

  @Test(arguments: ["world-llama", "dtypes.safetensors", "gguf/types.gguf"])
  func `any checkpoint has a report`(name: String) throws {
    let checkpoint = try Checkpoint.open(path: "\(repository)/Fixtures/\(name)")
    let report = try ModelReport(
      checkpoint, memory: MemoryBudget(), parallelism: Parallelism(threads: 2))
    let text = report.page.text
    for tensor in checkpoint.tensors { #expect(text.contains(Markup.escaped(tensor.name))) }
    #expect(text.contains("Where the weights are") && text.contains("has no checksums"))
    #expect(!text.contains("src=") && !text.contains("href=\"http"))
    if name == "world-llama" {
      #expect(text.contains("4 heads of 64, 2 of keys and values") && text.contains("Vocabulary"))
    }
  }
}
