import Foundation
import KistCheckpoints
import KistCore
import TestSupport
import Testing

/// GGUF files with bytes changed, put in and taken out: each is refused with an error, or what is read of it makes sense.
@Suite struct GGUFFuzzTests {
  private static let caseCount = ProcessInfo.processInfo.environment["KIST_FUZZ_CASES"].flatMap { Int($0) } ?? 20_000

  @Test(arguments: ["types", "shapes", "split-00001-of-00002", "alignment-64"])
  func `a mutated file is refused or consistent`(name: String) throws {
    let file = try readFile(repository + "/Fixtures/gguf/\(name).gguf")
    let headerByteCount = try GGUFHeader(unsafe file.span.bytes).tensors.map(\.range.lowerBound).min() ?? file.count
    let seed = UInt64(file.count)
    var random = SeededGenerator(seed: seed)
    var outcomes = (read: 0, refused: 0)
    for number in 0..<Self.caseCount / 4 {
      let mutated = mutate(file, header: headerByteCount, using: &random)
      do throws(KistError) {
        let header = try GGUFHeader(unsafe mutated.span.bytes)
        outcomes.read += 1
        #expect(isConsistent(header, fileByteCount: mutated.count), "seed \(seed), case \(number)")
        for item in header.items { _ = try? GGUFFile(detached: mutated).value(of: item) }
      } catch {
        outcomes.refused += 1
        #expect(!"\(error)".isEmpty)
      }
    }
    // A fuzzer whose inputs all stop at the parser, or none, would prove nothing.
    #expect(
      outcomes.read > Self.caseCount / 200 && outcomes.refused > Self.caseCount / 40, "\(outcomes), seed \(seed)")
  }

  private func isConsistent(_ header: GGUFHeader, fileByteCount: Int) -> Bool {
    var end = 0
    for tensor in header.tensors.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      let byteCount = tensor.shape.elementCount.flatMap(tensor.dtype.byteCount(ofElements:))
      guard byteCount == tensor.range.count, tensor.range.upperBound <= fileByteCount else { return false }
      guard !tensor.range.isEmpty else { continue }
      guard tensor.range.lowerBound >= end else { return false }
      end = tensor.range.upperBound
    }
    let keys = Set(header.items.map { Array($0.key.utf8) })
    let names = Set(header.tensors.map { Array($0.name.utf8) })
    return keys.count == header.items.count && names.count == header.tensors.count
  }

  private static let interesting: [UInt64] = [
    0, 1, 2, 3, 8, 9, 12, 13, 31, 32, 33, 255, 256, 65535, 1 << 31, 1 << 32, 1 << 40, 1 << 61, 1 << 63, .max - 31, .max,
  ]

  private func mutate(_ file: [UInt8], header: Int, using random: inout SeededGenerator) -> [UInt8] {
    var file = file
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let position = Int.random(in: 4..<min(header, file.count), using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: file[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: file[position] = UInt8.random(in: 0...255, using: &random)
      case 2:
        // A count or length for another.
        let number = Self.interesting.randomElement(using: &random) ?? 0
        for place in 0..<8 where position + place < file.count {
          file[position + place] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(place)))
        }
      case 3: file.removeSubrange(position..<min(file.count, position + Int.random(in: 1...8, using: &random)))
      case 4: file.removeSubrange(Int.random(in: position..<file.count, using: &random)...)
      default:
        let from = Int.random(in: 0..<file.count, using: &random)
        file.insert(contentsOf: Array(file[from..<min(file.count, from + 40)]), at: position)
      }
      guard file.count > 8 else { break }
    }
    return file
  }
}
