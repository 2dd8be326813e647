/// SHA-256 as lower-case hexadecimal. Source: FIPS 180-4, section 6.2.
func sha256(_ message: [UInt8]) -> String {
  let primes = (2..<312).filter { number in !(2..<number).contains { number % $0 == 0 } }
  /// The first 32 bits of a root's fraction.
  func fraction(_ root: Double) -> UInt32 { UInt32((root - root.rounded(.down)) * 0x1p32) }
  let constants = primes.prefix(64).map { fraction(cubeRoot(Double($0))) }
  var state = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
  var bytes = message + [0x80]
  bytes += [UInt8](repeating: 0, count: (120 - bytes.count % 64) % 64)
  let bitCount = message.count * 8
  for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: bitCount >> shift)) }
  for start in stride(from: 0, to: bytes.count, by: 64) { compress(bytes[start..<start + 64], constants, &state) }
  return state.map { word in
    let text = String(word, radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }.joined()
}

private func cubeRoot(_ value: Double) -> Double {
  var root = value
  for _ in 0..<60 { root -= (root * root * root - value) / (3 * root * root) }
  return root
}

private func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { (word >> count) | (word << (32 - count)) }

private func compress(_ block: ArraySlice<UInt8>, _ constants: [UInt32], _ state: inout [UInt32]) {
  var words: [UInt32] = []
  for start in stride(from: block.startIndex, to: block.endIndex, by: 4) {
    words.append(block[start..<start + 4].reduce(0) { word, byte in word << 8 | UInt32(byte) })
  }
  for at in 16..<64 {
    let (a, b) = (words[at - 15], words[at - 2])
    let first: UInt32 = rotated(a, 7) ^ rotated(a, 18) ^ (a >> 3)
    let second: UInt32 = rotated(b, 17) ^ rotated(b, 19) ^ (b >> 10)
    words.append(words[at - 16] &+ first &+ words[at - 7] &+ second)
  }
  var s = state
  for at in 0..<64 {
    let choice: UInt32 = (s[4] & s[5]) ^ (~s[4] & s[6])
    let majority: UInt32 = (s[0] & (s[1] ^ s[2])) ^ (s[1] & s[2])
    let sum1: UInt32 = rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)
    let sum0: UInt32 = rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)
    let input: UInt32 = constants[at] &+ words[at]
    let first: UInt32 = s[7] &+ sum1 &+ choice &+ input
    let second = sum0 &+ majority
    s = [first &+ second, s[0], s[1], s[2], s[3] &+ first, s[4], s[5], s[6]]
  }
  for at in 0..<8 { state[at] &+= s[at] }
}
