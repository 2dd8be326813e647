import KistArchitectures
import KistCheckpoints
import KistCore
import Testing

@Suite struct FamilyTests {
  @Test func `every fixture is found`() {
    #expect(FamilyFixtures.names.count >= 60)
  }

  @Test(arguments: FamilyFixtures.names)
  func `every tensor that a model needs lies in its file, in the shape that the family says`(_ name: String) throws {
    let model = try FamilyFixtures.model(name)
    let shapes = try shapes(name)
    for key in model.tensorKeys {
      let locations = model.locations(of: key)
      try #require(!locations.isEmpty, "\(key)")
      for location in locations {
        let found = location.names.first { shapes[$0] != nil }
        #expect(found.flatMap { shapes[$0] } == location.fileShape, "\(key): \(location.names)")
        guard case .mxfp4(let scales, let shape) = location.encoding else { continue }
        #expect(scales.first.flatMap { shapes[$0] } == shape, "\(key)")
      }
    }
  }

  @Test(arguments: FamilyFixtures.names)
  func `no tensor of a file is without meaning`(_ name: String) throws {
    let model = try FamilyFixtures.model(name)
    var unexplained = Set(try shapes(name).keys)
    for location in model.tensorKeys.flatMap({ model.locations(of: $0) }) {
      unexplained.subtract(location.names)
      if case .mxfp4(let scales, _) = location.encoding { unexplained.subtract(scales) }
    }
    #expect(unexplained.filter { !model.ignores($0) } == [])
  }

  @Test(arguments: FamilyFixtures.names)
  func `each number of a file is asked for once`(_ name: String) throws {
    try expectEachNumberOnce(in: FamilyFixtures.model(name))
  }

  private func shapes(_ name: String) throws -> [String: [Int]] {
    Dictionary(
      uniqueKeysWithValues: try FamilyFixtures.tensors(name).header.tensors.map { ($0.name, $0.shape.dimensions) })
  }
}
