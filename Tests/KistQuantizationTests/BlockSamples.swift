import Foundation
import KistCore
import TestSupport

/// What llama.cpp's libggml-base makes of numbers and blocks: Fixtures/quantization/ggml-blocks.json, and the same numbers
/// that Fixtures/make/ggml_blocks.c makes.
enum BlockSamples {
  static let rows = 4
  static let columns = 1280
  static let cases = [
    "normal", "constant", "zero", "subnormal", "huge", "outliers", "coarse", "tiny", "negative",
  ]

  static let golden: [String: [String: String]] = {
    guard let bytes = try? readFile(repository + "/Fixtures/quantization/ggml-blocks.json") else { return [:] }
    return (try? JSONDecoder().decode([String: [String: String]].self, from: Data(bytes))) ?? [:]
  }()

  /// About normal, a whole number between -131070 and 131070.
  private static func bell(_ random: inout SeededGenerator) -> Float {
    let x = random.next()
    return Float(stride(from: 0, to: 64, by: 16).reduce(-131070) { $0 + Int(x >> UInt64($1) & 65535) })
  }

  static func numbers(_ name: String, for dtype: DType) -> [Float] {
    var random = SeededGenerator(seed: UInt64(cases.firstIndex(of: name) ?? 0) + 1)
    let hasGrid = [DType.iq2_xxs, .iq2_xs, .iq2_s, .iq3_xxs, .iq3_s, .iq1_s, .iq1_m].contains(dtype)
    func scaled(_ exponent: Int) -> Float { Float(sign: .plus, exponent: exponent, significand: bell(&random)) }
    return (0..<rows * columns).map { index in
      switch name {
      case "normal": return scaled(-23)
      case "constant":
        let third = index / 256 % 3
        return third == 0 ? 0.25 : third == 1 ? -0.25 : index / 32 % 2 == 1 ? 1 : -1
      case "subnormal": return scaled(-145)
      case "huge": return scaled(hasGrid ? 10 : 109)
      case "outliers":
        let value = scaled(-23)
        let chance = random.next()
        return chance % 7 == 0 ? 0 : chance % 50 == 0 ? value * 32 : value
      case "coarse": return Float(Int(random.next() % 7) - 3) / 8
      case "tiny": return scaled(-40)
      case "negative": return -scaled(-20).magnitude
      default: return 0
      }
    }
  }

  static let importance: [Float] = {
    var random = SeededGenerator(seed: 1000)
    return (0..<columns).map { $0 % 11 == 0 ? 0 : Float(random.next() & 65535) / 16384 }
  }()

  /// Random blocks for as many numbers as the samples have.
  static func blocks(of dtype: DType) -> [UInt8] {
    var random = SeededGenerator(seed: 2000)
    return random.bytes(rows * columns / dtype.unitElementCount * dtype.unitByteCount)
  }

  /// FNV-1a, 64 bits.
  static func digest(_ bytes: some Sequence<UInt8>) -> String {
    let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Of f32, every NaN as the same one.
  static func digest(_ values: [Float]) -> String {
    digest(littleEndianBytes(values.map { $0.isNaN ? Float(bitPattern: 0x7FC0_0000) : $0 }))
  }
}
