import KistCore
import KistFormat
import Testing

@Suite struct MetadataListTests {
  private let lists: [Metadata.List] = [
    Metadata.List(
      elementType: "i32", count: 2, values: [.integer("-1", type: "i32"), .integer("7", type: "i32")], hash: nil),
    Metadata.List(elementType: "string", count: 0, values: [], hash: nil),
    Metadata.List(
      elementType: "string", count: 100, values: [.string("a\"\n"), .string("é")], hash: 0x0000_0ABC_0000_0001),
    Metadata.List(elementType: "array", count: 3, values: [], hash: .max),
    Metadata.List(
      elementType: "f32", count: 4,
      values: [
        .float(.nan, type: "f32"), .float(-.infinity, type: "f32"), .float(Double(Float(0.1)), type: "f32"),
        .float(-0.0, type: "f32"),
      ],
      hash: nil),
    Metadata.List(elementType: "bool", count: 2, values: [.bool(true), .bool(false)], hash: nil),
  ]

  @Test func `lists and numbers that JSON lacks come back from the record as they were`() throws {
    var metadata = Metadata()
    for (index, list) in lists.enumerated() { metadata["list.\(index)"] = .list(list) }
    metadata["inf"] = .float(.infinity, type: "f64")
    metadata["nan"] = .float(.nan, type: "f32")
    let decoded = try Metadata(decoding: metadata.encoded())
    #expect(decoded == metadata)
    #expect(decoded.items.map(\.key) == metadata.items.map(\.key))
  }

  @Test func `lists that differ only where they are not repeated are not the same`() {
    var other = lists[2]
    other.hash = 1
    #expect(lists[2] != other)
  }

  @Test(arguments: [
    #"{"k":{"type":"array","value":[1]}}"#, #"{"k":{"type":"array","value":{"of":"i32","values":["x"]}}}"#,
    #"{"k":{"type":"array","value":{"of":"nothing","values":[1]}}}"#,
    #"{"k":{"type":"array","value":{"of":"i32","values":[1],"xxh3":"12","count":5}}}"#,
    #"{"k":{"type":"array","value":{"of":"i32","values":[1,2],"xxh3":"0000000000000012","count":1}}}"#,
    #"{"k":{"type":"f32","value":"infinite"}}"#,
  ])
  func `a record with a broken list is refused`(json: String) {
    #expect(throws: KistError.self) { try Metadata(decoding: Array(json.utf8)) }
  }

  @Test func `a long list is shown by its beginning and its length`() {
    #expect("\(Metadata.Value.list(lists[0]))" == "[-1, 7]")
    #expect("\(Metadata.Value.list(lists[2]))".hasSuffix("…] (100)"))
  }
}
