import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct TensorSliceTests {
  /// Numbers 0 to 119 as [4, 5, 6]: an element's value is its place. The values expected are what numpy 2 gives.
  private static let cube: NewEntry = .tensor(
    "cube", dtype: .u8, shape: [4, 5, 6], source: MemorySource((0..<120).map { UInt8($0) }))

  @Test(arguments: [
    ("[0, 0]", [6], [0, 1, 2, 3, 4, 5]),
    ("[-1, -1, -1]", [], [119]),
    ("[:, 0, 0]", [4], [0, 30, 60, 90]),
    ("[0:2, 1, ::2]", [2, 3], [6, 8, 10, 36, 38, 40]),
    ("[..., 5]", [4, 5], (0..<20).map { $0 * 6 + 5 }),
    ("[3, ..., 0]", [5], [90, 96, 102, 108, 114]),
    ("[2, 4, ::-1]", [6], [89, 88, 87, 86, 85, 84]),
    ("[::-2, 0, 0]", [2], [90, 30]),
    ("[0, 0, 4:1:-1]", [3], [4, 3, 2]),
    ("[0, 0, -2:]", [2], [4, 5]),
    ("[0, 0, 10:]", [0], []),
    ("[0, 0, -100:2]", [2], [0, 1]),
    ("[0, 0, 2:100]", [4], [2, 3, 4, 5]),
    ("[0, 0, 3:3]", [0], []),
    ("0, 1", [6], [6, 7, 8, 9, 10, 11]),
    ("[1,]", [5, 6], Array(30..<60)),
    ("[]", [4, 5, 6], Array(0..<120)),
    ("[...]", [4, 5, 6], Array(0..<120)),
    ("[1:3, 0:5, 0:6]", [2, 5, 6], Array(30..<90)),
    ("[0, 0, 9223372036854775807:-9223372036854775808:-9223372036854775808]", [1], [5]),
  ])
  func `a slice takes what numpy takes`(text: String, shape: [Int], values: [Int]) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try makeCheckpoint([Self.cube], in: folder)
    let view = try TensorView("cube", try TensorSlice(text), in: checkpoint)
    #expect(view.shape.dimensions == shape)
    var json = ""
    try view.writeJSON { json += $0 }
    #expect(json.split { "[],".contains($0) }.compactMap { Int($0) } == values)

    try view.writeNpy(to: folder.file("a.npy"))
    let file = try readFile(folder.file("a.npy"))
    #expect(file.count % 64 == values.count % 64 && file.suffix(values.count).map { Int($0) } == values)
  }

  @Test(arguments: ["[a]", "[1:2:3:4]", "[::0]", "[1,,2]", "[..., ...]", "[1.5]", "[0x1]"])
  func `what is not a slice is refused`(text: String) {
    #expect(throws: KistError.self) { try TensorSlice(text) }
  }

  @Test(arguments: ["[0,0,0,0]", "[4]", "[-5]", "[:, 5]"])
  func `an index out of range, or one too many, is refused`(text: String) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try makeCheckpoint([Self.cube], in: folder)
    let slice = try TensorSlice(text)
    let error = #expect(throws: KistError.self) { try TensorView("cube", slice, in: checkpoint) }
    #expect(error?.kind == .invalid && error?.field?.contains("cube") == true)
  }

  @Test func `a slice that spans chunks reads them all`() throws {
    let folder = try TemporaryFolder()
    let values = (0..<700_000).map { Float($0) }
    let checkpoint = try makeCheckpoint([f32("long", values, shape: [7000, 100])], in: folder)
    let view = try TensorView("long", try TensorSlice("[::1000, 7]"), in: checkpoint)
    var json = ""
    try view.writeJSON { json += $0 }
    #expect(json == "[7.0,100007.0,200007.0,300007.0,400007.0,500007.0,600007.0]")
    try TensorView("long", try TensorSlice("[1:-1]"), in: checkpoint).writeNpy(to: folder.file("a.npy"))
    #expect(try readFile(folder.file("a.npy")).dropFirst(128) == bytes(of: Array(values[100..<699_900]))[...])
  }
}
