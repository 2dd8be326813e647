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
      let location = try #require(model.location(of: key), "\(key)")
      for names in [location.names] + location.followers {
        let found = names.first { shapes[$0] != nil }
        #expect(found.flatMap { shapes[$0] } == location.fileShape, "\(key): \(names)")
      }
      guard case .mxfp4(let scales, let shape) = location.encoding else { continue }
      #expect(scales.first.flatMap { shapes[$0] } == shape, "\(key)")
    }
  }

  @Test(arguments: FamilyFixtures.names)
  func `no tensor of a file is without meaning`(_ name: String) throws {
    let model = try FamilyFixtures.model(name)
    var unexplained = Set(try shapes(name).keys)
    for key in model.tensorKeys {
      guard let location = model.location(of: key) else { continue }
      for names in [location.names] + location.followers { unexplained.subtract(names) }
      if case .mxfp4(let scales, _) = location.encoding { unexplained.subtract(scales) }
    }
    #expect(unexplained.filter { !model.isIgnored($0) } == [])
  }

  @Test(arguments: FamilyFixtures.names)
  func `each number of a file is asked for once`(_ name: String) throws {
    let model = try FamilyFixtures.model(name)
    var counts: [String: Int] = [:]
    for key in model.tensorKeys {
      let location = try #require(model.location(of: key))
      #expect(location.rowCount * location.columnCount == model.shape(of: key)?.reduce(1, *), "\(key)")
      if case .rows(let runs) = location.order {
        #expect(runs.reduce(0) { $0 + $1.count } == location.rowCount, "\(key)")
      }
      counts[location.names[0], default: 0] += location.rowCount * location.columnCount
    }
    for key in model.tensorKeys {
      let location = try #require(model.location(of: key))
      let copies = location.followers.count + 1
      let packed = location.encoding == .values ? 1 : 2
      #expect(counts[location.names[0]] == location.fileShape.reduce(1, *) * copies * packed, "\(key)")
    }
  }

  private func shapes(_ name: String) throws -> [String: [Int]] {
    Dictionary(uniqueKeysWithValues: try FamilyFixtures.tensors(name).header.tensors.map { ($0.name, Array($0.shape)) })
  }
}
