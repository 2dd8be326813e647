import KistConversion
import Testing

@Suite struct QuantityTests {
  @Test(arguments: [
    (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.00 kB"), (1234, "1.23 kB"), (9995, "10.0 kB"),
    (12_345, "12.3 kB"),
    (99_960, "100 kB"), (123_456, "123 kB"), (999_499, "999 kB"), (999_500, "1.00 MB"), (90_868_376, "90.9 MB"),
    (1_234_567_890, "1.23 GB"), (5_000_000_000_000, "5.00 TB"),
  ])
  func `bytes have three digits and a unit`(count: Int, expected: String) {
    #expect(Quantity.bytes(count) == expected)
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (22_713_216, "22,713,216"), (-1234, "-1,234")])
  func `counts have separators`(count: Int, expected: String) {
    #expect(Quantity.count(count) == expected)
  }

  @Test(arguments: [
    (999, "999"), (260_032, "260K"), (22_713_728, "22.7M"), (7_241_732_096, "7.24B"), (999_999_999, "1.00B"),
  ])
  func `parameters are written as on model cards`(count: Int, expected: String) {
    #expect(Quantity.parameters(count) == expected)
  }

  @Test(arguments: [(0.034, "0.03 s"), (2.44, "2.4 s"), (59.94, "59.9 s"), (185, "3 min 05 s"), (7260, "2 h 01 min")])
  func `durations read as a person says them`(seconds: Double, expected: String) {
    #expect(Quantity.seconds(seconds) == expected)
  }

  @Test func `a table aligns its columns, and shortens names to the terminal's width but not beyond use`() {
    var table = TextTable([.left, .right])
    table.add(["model.layers.0.self_attention.query_projection.weight", "1 B"])
    table.add(["short", "12 B"])
    #expect(
      table.lines() == ["model.layers.0.self_attention.query_projection.weight   1 B", "short" + spaces(50) + "12 B"])
    let narrow = ["model.layers.0.self_…y_projection.weight   1 B", "short" + spaces(37) + "12 B"]
    #expect(table.lines(width: 46) == narrow && table.lines(width: 20) == narrow)
    #expect(table.lines(width: 50)[0] == "model.layers.0.self_at…ery_projection.weight   1 B")
  }

  private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }

  @Test func `what a file says can't steer the terminal`() {
    var table = TextTable([.left])
    table.add(["a\u{1B}[2Jb\u{202E}"])
    #expect(table.lines() == ["a\\u{1b}[2Jb\\u{202e}"])
  }
}
