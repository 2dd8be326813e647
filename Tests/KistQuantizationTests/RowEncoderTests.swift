import KistCore
import KistQuantization
import Testing

struct RowEncoderTests {
  private func encode<Word: FixedWidthInteger>(_ values: [Float], _ dtype: DType, _ type: Word.Type) throws -> [Word] {
    let encoder = try #require(RowEncoder(dtype))
    var words = [Word](repeating: 0, count: values.count)
    unsafe words.withUnsafeMutableBytes { target in
      guard let base = target.baseAddress else { return }
      unsafe encoder.encode(values, rows: 1, columns: values.count, into: base)
    }
    return words
  }

  /// Numbers of every exponent, halfway between neighbours of F16 and BF16, and just beside.
  private static let awkward: [Float] = (UInt32(0)..<1 << 16).flatMap { high in
    [0, 1, 0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001, 0xF000].map { Float(bitPattern: high << 16 | $0) }
  }

  @Test func `F16 is what the processor rounds to`() throws {
    let bits = try encode(Self.awkward, .f16, UInt16.self)
    for (value, pattern) in zip(Self.awkward, bits) where !value.isNaN {
      #expect(pattern == Float16(value).bitPattern, "\(value)")
    }
    #expect(zip(Self.awkward, bits).allSatisfy { !$0.isNaN || Float16(bitPattern: $1).isNaN })
  }

  @Test func `BF16 is the nearest, ties to even`() throws {
    let bits = try encode(Self.awkward, .bf16, UInt16.self)
    for (value, pattern) in zip(Self.awkward, bits) where value.isFinite {
      let back = Float(bitPattern: UInt32(pattern) << 16)
      let (down, low) = (Float(bitPattern: value.bitPattern & 0xFFFF_0000), value.bitPattern & 0xFFFF)
      let expected = low > 0x8000 || (low == 0x8000 && value.bitPattern >> 16 & 1 == 1)
      #expect(back.bitPattern == (expected ? down.bitPattern &+ 0x10000 : down.bitPattern), "\(value)")
    }
  }

  @Test(arguments: [DType.f8e4m3, .f8e5m2]) func `eight bits keep their own numbers`(dtype: DType) throws {
    guard case .float(let format) = dtype.numbers else { return }
    let values = (0..<UInt16(256)).map { format.decode($0) }
    let bits = try encode(values, dtype, UInt8.self)
    for (pattern, value) in values.enumerated() where !value.isNaN { #expect(Int(bits[pattern]) == pattern) }
    // PyTorch: torch.tensor([17., 19., 448., 464., 465., 1e9, -0.0009765625]).to(torch.float8_e4m3fn).view(torch.uint8)
    if dtype == .f8e4m3 {
      let edges = try encode([17, 19, 448, 464, 465, 1e9, -0.000_976_562_5], dtype, UInt8.self)
      #expect(edges == [0x58, 0x5A, 0x7E, 0x7E, 0x7E, 0x7E, 0x80])
    } else {
      let edges = try encode([57344, 61439, 61440, 1e9, 1.125, 1.375], dtype, UInt8.self)
      #expect(edges == [0x7B, 0x7B, 0x7C, 0x7C, 0x3C, 0x3E])
    }
  }
}
