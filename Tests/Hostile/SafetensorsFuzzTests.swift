import Foundation
import KistCheckpoints
import KistCore
import TestSupport
import Testing

/// Headers with bytes changed, put in and taken out: each is refused with an error, or what is read of it makes sense.
@Suite struct SafetensorsFuzzTests {
  private static let caseCount = ProcessInfo.processInfo.environment["KIST_FUZZ_CASES"].flatMap { Int($0) } ?? 20_000

  @Test(arguments: [21, 22] as [UInt64])
  func `a mutated header is refused or consistent`(seed: UInt64) throws {
    let file = try readFile(repository + "/Fixtures/dtypes.safetensors")
    let headerByteCount = try SafetensorsHeader(unsafe file.span.bytes).byteCount
    let json = Array(file[8..<headerByteCount])
    let data = Array(file[headerByteCount...])
    var random = SeededGenerator(seed: seed)
    var outcomes = (read: 0, refused: 0)
    for number in 0..<Self.caseCount / 2 {
      let mutated = mutate(json, using: &random)
      let length = UInt64(mutated.count)
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + mutated + data
      switch read(bytes) {
      case .success(let header):
        outcomes.read += 1
        #expect(isConsistent(header, fileByteCount: bytes.count), "seed \(seed), case \(number)")
      case .failure(let error):
        outcomes.refused += 1
        #expect(!"\(error)".isEmpty)
      }
    }
    // A fuzzer whose inputs all stop at the parser, or none, would prove nothing.
    #expect(
      outcomes.read > Self.caseCount / 100 && outcomes.refused > Self.caseCount / 10, "\(outcomes), seed \(seed)")
  }

  private func read(_ bytes: [UInt8]) -> Result<SafetensorsHeader, KistError> {
    Result { () throws(KistError) in try SafetensorsHeader(unsafe bytes.span.bytes) }
  }

  private func isConsistent(_ header: SafetensorsHeader, fileByteCount: Int) -> Bool {
    var end = header.byteCount
    for tensor in header.tensors {
      guard tensor.range.lowerBound == end,
        tensor.shape.elementCount.flatMap(tensor.dtype.byteCount(ofElements:)) == tensor.range.count
      else { return false }
      end = tensor.range.upperBound
    }
    return end == fileByteCount && Set(header.tensors.map { Array($0.name.utf8) }).count == header.tensors.count
  }

  private static let interesting: [[UInt8]] =
    [
      "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "0", "-1", "1.0", "1e9", "9223372036854775807",
      "18446744073709551615", "18446744073709551616", "null", "true", "\"F32\"", "\"F4\"", "\"shape\"", "\"dtype\"",
      "\"data_offsets\"", "\"__metadata__\"", "[0,0]", "{}", " ",
    ].map { Array($0.utf8) } + [[0], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80]]

  private func mutate(_ json: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var json = json
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let position = Int.random(in: 0..<json.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: json[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: json[position] = UInt8.random(in: 0x20..<0x7F, using: &random)
      case 2:
        json.insert(contentsOf: Self.interesting.randomElement(using: &random) ?? [], at: position)
      case 3: json.removeSubrange(position..<min(json.count, position + Int.random(in: 1...8, using: &random)))
      case 4:
        // A digit for another: offsets and shapes that no longer agree.
        if let digit = json[position...].firstIndex(where: { (0x30...0x39).contains($0) }) {
          json[digit] = UInt8.random(in: 0x30...0x39, using: &random)
        }
      default:
        let from = Int.random(in: 0..<json.count, using: &random)
        json.insert(contentsOf: Array(json[from..<min(json.count, from + 80)]), at: position)
      }
    }
    return json
  }
}
