import Foundation
import KistCore
import TestSupport
import Testing

@Suite struct DTypeTests {
  /// Names and bits of an element, of safetensors 0.8.0: safetensors/src/tensor.rs, `Dtype`.
  private static let library = [
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
  ]

  @Test func `dtypes are those of safetensors, each with a code of its own`() {
    let plain = DType.all.filter { !$0.isBlockType }
    let bits = Dictionary(plain.map { ($0.name, $0.bitsPerElement) }) { first, _ in first }
    #expect(bits == Self.library)
    #expect(plain.count == Self.library.count)
    #expect(Set(DType.all.map(\.code)).count == DType.all.count)
    #expect(!DType.all.contains { $0.code == 0 }, "0 is no dtype")
  }

  @Test func `a dtype is found by its code and by its name in any case`() {
    for dtype in DType.all {
      #expect(DType(code: dtype.code) == dtype)
      #expect(DType(name: dtype.name) == dtype)
      #expect(DType(name: dtype.name.lowercased()) == dtype)
      #expect(dtype.description == dtype.name)
    }
    let codes = Set(DType.all.map(\.code))
    for code in UInt16.min...UInt16.max where !codes.contains(code) { #expect(DType(code: code) == nil) }
    for name in ["", "F12", "float32", "F32 "] { #expect(DType(name: name) == nil) }
  }

  /// `ggml_type`, elements and bytes of a block, of gguf 0.19.0 (gguf/constants.py, `GGML_QUANT_SIZES`); Q2_0, which is
  /// newer, of llama.cpp's ggml-common.h.
  private static let ggml: [String: [Int]] = [
    "Q4_0": [2, 32, 18], "Q4_1": [3, 32, 20], "Q5_0": [6, 32, 22], "Q5_1": [7, 32, 24], "Q8_0": [8, 32, 34],
    "Q8_1": [9, 32, 36], "Q2_K": [10, 256, 84], "Q3_K": [11, 256, 110], "Q4_K": [12, 256, 144],
    "Q5_K": [13, 256, 176], "Q6_K": [14, 256, 210], "Q8_K": [15, 256, 292], "IQ2_XXS": [16, 256, 66],
    "IQ2_XS": [17, 256, 74], "IQ3_XXS": [18, 256, 98], "IQ1_S": [19, 256, 50], "IQ4_NL": [20, 32, 18],
    "IQ3_S": [21, 256, 110], "IQ2_S": [22, 256, 82], "IQ4_XS": [23, 256, 136], "IQ1_M": [29, 256, 56],
    "TQ1_0": [34, 256, 54], "TQ2_0": [35, 256, 66], "MXFP4": [39, 32, 17], "NVFP4": [40, 64, 36],
    "Q1_0": [41, 128, 18], "Q2_0": [42, 64, 18],
  ]

  @Test func `block types are those of ggml`() {
    let found = Dictionary(
      uniqueKeysWithValues: DType.blockTypes.map { dtype in
        (dtype.name, [Int(dtype.ggmlBlockType ?? 0), dtype.unitElementCount, dtype.unitByteCount])
      })
    #expect(found == Self.ggml)
    #expect(DType(ggmlBlockType: 12) == .q4_k)
    #expect(DType(ggmlBlockType: 4) == nil)
    #expect(DType(ggmlBlockType: .max) == nil)
  }

  @Test(arguments: DType.all.filter { !$0.isBlockType })
  func `a unit is the fewest bytes that hold whole elements, and a component a part of it`(dtype: DType) throws {
    let fewest = try #require((1...64).first { $0 * 8 % dtype.bitsPerElement == 0 })
    #expect(dtype.unitByteCount == fewest)
    #expect(dtype.unitByteCount % dtype.componentByteCount == 0)
    let component = dtype == .c64 ? 4 : max(1, dtype.bitsPerElement / 8)
    #expect(dtype.componentByteCount == component)
    if dtype.hasFloatPlanes { #expect([2, 4, 8].contains(component)) }
  }

  @Test func `lengths in bytes are exact or there is none`() {
    #expect(DType.f32.byteCount(ofElements: 3) == 12)
    #expect(DType.f4.byteCount(ofElements: 3) == nil)
    #expect(DType.f4.byteCount(ofElements: 4) == 2)
    #expect(DType.f6e3m2.byteCount(ofElements: 2) == nil)
    #expect(DType.f6e3m2.byteCount(ofElements: 4) == 3)
    #expect(DType.q4_k.byteCount(ofElements: 512) == 288)
    #expect(DType.q4_k.byteCount(ofElements: 511) == nil)
    #expect(DType.f64.byteCount(ofElements: 0) == 0)
    #expect(DType.u8.byteCount(ofElements: .max / 8) == .max / 8)
    #expect(DType.u8.byteCount(ofElements: .max / 8 + 1) == nil)
  }
}

/// Fixtures/minifloat.json holds what ml_dtypes makes of bit patterns.
@Suite struct MiniFloatTests {
  private static let golden: [String: String] = {
    guard let bytes = try? readFile(repository + "/Fixtures/minifloat.json") else { return [:] }
    return (try? JSONDecoder().decode([String: String].self, from: Data(bytes))) ?? [:]
  }()

  private static let dtypes = DType.all.filter { if case .float = $0.numbers { true } else { false } }

  @Test(arguments: dtypes)
  func `every bit pattern is the number that ml_dtypes makes of it`(dtype: DType) throws {
    guard case .float(let format) = dtype.numbers else { return }
    let digits = Array(try #require(Self.golden[dtype.name]).utf8)
    let expected = try stride(from: 0, to: digits.count, by: 8).map {
      try #require(UInt32(String(decoding: digits[$0..<$0 + 8], as: UTF8.self), radix: 16))
    }
    let isSampled = dtype.bitsPerElement == 16
    #expect(expected.count == (isSampled ? 4096 : 1 << dtype.bitsPerElement))
    for (index, bits) in expected.enumerated() {
      let pattern = UInt16(isSampled ? index << 4 | index & 15 : index)
      let number = format.decode(pattern)
      let found = number.isNaN ? 0x7FC0_0000 : number.bitPattern
      #expect(found == bits, "pattern \(String(pattern, radix: 16))")
    }
  }

  @Test func `the golden numbers are of all small formats`() {
    #expect(Set(Self.golden.keys) == Set(Self.dtypes.map(\.name)))
    #expect(Self.dtypes.count == 10)
  }
}
