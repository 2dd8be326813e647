import Foundation
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

/// Golden text: what numpy 2.4's `print` writes.
@Suite struct TensorTextTests {
  private func text(_ dtype: DType, _ shape: Shape, _ bytes: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    let entry = NewEntry.tensor("t", dtype: dtype, shape: shape, source: MemorySource(bytes))
    return try TensorView("t", .whole, in: try makeCheckpoint([entry], in: folder)).text()
  }

  @Test(
    arguments: [
      ([1, 2.5, -3, 0.1], "[ 1.   2.5 -3.   0.1]"),
      ([1e-5, 1, 2], "[1.e-05 1.e+00 2.e+00]"),
      ([1e9, 1], "[1.e+09 1.e+00]"),
      ([.nan, .infinity, -.infinity, -0.0, 1.25], "[  nan   inf  -inf -0.    1.25]"),
      ([0, 0], "[0. 0.]"),
      ([16777.217], "[16777.217]"),
      ([1e-3, 999], "[1.00e-03 9.99e+02]"),
      ([.nan], "[nan]"),
      ([1, .nan, 1e10], "[1.e+00    nan 1.e+10]"),
      ([1e-5, 0.12345678], "[9.9999997e-06 1.2345678e-01]"),
      ([.leastNonzeroMagnitude, 1.2345], "[1.4013e-45 1.2345e+00]"),
      ([], "[]"),
    ] as [([Float], String)])
  func `F32 is printed as numpy prints it`(values: [Float], expected: String) throws {
    #expect(try text(.f32, [values.count], littleEndianBytes(values)) == expected)
  }

  @Test func `other dtypes are printed as numpy prints them`() throws {
    #expect(try text(.f64, [2], bytes(of: [1.0 / 3, 123456.789])) == "[3.33333333e-01 1.23456789e+05]")
    #expect(try text(.f64, [2], bytes(of: [1.0 / 3, 1e-20])) == "[3.33333333e-01 1.00000000e-20]")
    #expect(try text(.f16, [3], bytes(of: [0.1, 65504, 1e-7] as [Float16])) == "[1.00e-01 6.55e+04 1.19e-07]")
    #expect(try text(.c64, [2], bytes(of: [1, 2, -0.5, -1] as [Float])) == "[ 1. +2.j -0.5-1.j]")
    #expect(try text(.bool, [2], [1, 0]) == "[ True False]")
    #expect(try text(.u64, [1], bytes(of: [UInt64(1) << 63])) == "[9223372036854775808]")
    #expect(try text(.f32, [], bytes(of: [Float(1.5)])) == "1.5")
    let box = """
      [[[-5 -4 -3 -2]
        [-1  0  1  2]
        [ 3  4  5  6]]

       [[ 7  8  9 10]
        [11 12 13 14]
        [15 16 17 18]]]
      """
    #expect(try text(.i32, [2, 3, 4], bytes(of: (0..<24).map { Int32($0) - 5 })) == box)
  }

  @Test func `block types are printed as the numbers that their blocks hold`() throws {
    // Q8_0: a scale in f16 (0.5, then 0.25), 32 signed bytes.
    let blocks =
      [0x00, 0x38, 0xFC, 2] + [UInt8](repeating: 0, count: 30) + [0x00, 0x34, 1] + [UInt8](repeating: 0, count: 31)
    let lines = try text(.q8_0, [2, 32], blocks).split(separator: "\n")
    #expect(lines.first?.hasPrefix("[[-2.    1.    0.") == true)
    #expect(lines.contains { $0.hasPrefix(" [ 0.25  0.    0.") })
  }

  @Test func `of more than a thousand elements only the edges are printed`() throws {
    #expect(try text(.i64, [1001], bytes(of: Array(0..<1001))) == "[   0    1    2 ...  998  999 1000]")
    let box = """
      [[[0.000e+00 1.000e+00 2.000e+00 ... 9.700e+01 9.800e+01 9.900e+01]
        [1.000e+02 1.010e+02 1.020e+02 ... 1.970e+02 1.980e+02 1.990e+02]
        [2.000e+02 2.010e+02 2.020e+02 ... 2.970e+02 2.980e+02 2.990e+02]
        ...
        [7.000e+02 7.010e+02 7.020e+02 ... 7.970e+02 7.980e+02 7.990e+02]
        [8.000e+02 8.010e+02 8.020e+02 ... 8.970e+02 8.980e+02 8.990e+02]
        [9.000e+02 9.010e+02 9.020e+02 ... 9.970e+02 9.980e+02 9.990e+02]]

       [[1.000e+03 1.001e+03 1.002e+03 ... 1.097e+03 1.098e+03 1.099e+03]
        [1.100e+03 1.101e+03 1.102e+03 ... 1.197e+03 1.198e+03 1.199e+03]
        [1.200e+03 1.201e+03 1.202e+03 ... 1.297e+03 1.298e+03 1.299e+03]
        ...
        [1.700e+03 1.701e+03 1.702e+03 ... 1.797e+03 1.798e+03 1.799e+03]
        [1.800e+03 1.801e+03 1.802e+03 ... 1.897e+03 1.898e+03 1.899e+03]
        [1.900e+03 1.901e+03 1.902e+03 ... 1.997e+03 1.998e+03 1.999e+03]]]
      """
    #expect(try text(.f32, [2, 10, 100], littleEndianBytes((0..<2000).map { Float($0) })) == box)
  }

  @Test func `every dtype's values are those that numpy and ml_dtypes decode`() throws {
    struct Golden: Decodable {
      var values: [String]
    }
    let file = URL(fileURLWithPath: "\(repository)/Fixtures/dtypes-values.json")
    let golden = try JSONDecoder().decode([String: Golden].self, from: Data(contentsOf: file))
    let checkpoint = try Checkpoint.open(path: dtypesFixture)
    #expect(golden.count > 20)
    for (name, expected) in golden {
      let view = try TensorView(name, .whole, in: checkpoint)
      var json = ""
      try view.writeJSON { json += $0 }
      let shown = json.replacing("true", with: "1").replacing("false", with: "0").split { "[],\"".contains($0) }
      let wanted = expected.values.flatMap { $0.split(separator: ",") }
      for (shown, wanted) in zip(shown, wanted) {
        if let integer = Int128(wanted) {
          #expect(Int128(shown) == integer, "\(name)")
        } else {
          let (a, b) = (try #require(Double(shown)), try #require(Double(wanted)))
          // What is shown of an F32 is its shortest decimal form, which is read as an F32.
          #expect(Float(a) == Float(b) || a == b || a.isNaN && b.isNaN, "\(name): \(shown), not \(wanted)")
          #expect(a.isNaN || a.sign == b.sign, "\(name)")
        }
      }
      #expect(shown.count >= wanted.count, "\(name)")
    }
  }
}
