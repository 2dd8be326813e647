/// Every length up to several vectors, and a few long ones.
let edgeLengths = Array(0...70) + [127, 128, 129, 1000, 4099]

/// Values that every formula must survive.
let specialValues: [Float] = [
  0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
  .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.72, 88.73, 89, -87.33, -87.34, -103.97, -103.98, -104, -105,
  0.625, 0.62499994, -0.625, 9.01, 9.02, 1e-8, -1e-8, 14, -14,
]

/// How far `value` is from `exact`, in units of the last place of an f32 near `exact`, or of `least` where that is more.
func unitsInLastPlace(_ value: Float, _ exact: Double, least: Double = 0) -> Double {
  let rounded = Float(exact)
  if rounded.isNaN || value.isNaN { return rounded.isNaN && value.isNaN ? 0 : .infinity }
  if rounded.isInfinite || value.isInfinite { return rounded == value ? 0 : .infinity }
  return abs(Double(value) - exact) / max(Double(rounded.ulp), least)
}

/// The bits, any NaN as one and the same.
func bits(_ values: [Float]) -> [UInt32] { values.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern } }
