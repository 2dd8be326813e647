import Foundation
import KistCheckpoints
import KistCore
import TestSupport

/// Models that gguf-py wrote (Fixtures/make/gguf_files.py), with what is in them.
struct GGUFFixture: Decodable {
  struct Item: Decodable {
    var key: String
    var type: String
    var of: String?
    var value: Value
  }

  /// Text, or a list of such.
  enum Value: Decodable, Equatable {
    case text(String)
    case list([Value])

    init(from decoder: any Decoder) throws {
      if let text = try? decoder.singleValueContainer().decode(String.self) {
        self = .text(text)
      } else {
        self = .list(try decoder.singleValueContainer().decode([Value].self))
      }
    }
  }

  struct Tensor: Decodable {
    var name: String
    var type: String
    var shape: [Int]
    var sha256: String
  }

  var files: [String]
  var metadata: [Item]
  var tensors: [Tensor]

  static let folder = repository + "/Fixtures/gguf"

  static let all: [(name: String, fixture: GGUFFixture)] = {
    let data = (try? readFile(folder + "/expected.json")) ?? []
    let decoded = try? JSONDecoder().decode([String: GGUFFixture].self, from: Data(data))
    return (decoded ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }()

  static let names = all.map(\.name)

  static func named(_ name: String) throws -> GGUFFixture {
    guard let found = all.first(where: { $0.name == name }) else {
      throw KistError(.missing, file: name, "is no fixture")
    }
    return found.fixture
  }

  func path(_ index: Int) -> String { Self.folder + "/" + files[index] }
}

extension GGUFFixture.Value {
  /// A value that was read, as the fixtures write it.
  init(_ value: GGUFValue) {
    switch value {
    case .string(let bytes): self = .text(String(decoding: bytes, as: UTF8.self))
    case .bool(let flag): self = .text("\(flag)")
    case .float32(let number): self = .text(number.isNaN ? "nan" : "0x" + hexadecimal(UInt64(number.bitPattern), 8))
    case .float64(let number): self = .text(number.isNaN ? "nan" : "0x" + hexadecimal(number.bitPattern, 16))
    case .array(_, let elements): self = .list(elements.map { Self($0) })
    default: self = .text("\(value.integer ?? 0)")
    }
  }
}

private func hexadecimal(_ bits: UInt64, _ count: Int) -> String {
  let digits = String(bits, radix: 16)
  return String(repeating: "0", count: count - digits.count) + digits
}
