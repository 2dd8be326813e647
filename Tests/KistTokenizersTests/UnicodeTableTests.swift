import Foundation
import KistTokenizers
import TestSupport
import Testing

@Suite struct UnicodeTableTests {
  @Test func propertiesHoldTheScalarsThatTheReferenceLibrariesFind() throws {
    let golden = repository + "/Fixtures/tokenizers/normalizers/properties.tsv"
    let lines = try String(contentsOfFile: golden, encoding: .utf8).split(separator: "\n")
    #expect(lines.count > 300)
    for line in lines {
      let fields = line.split(separator: "\t").map(String.init)
      let ranges = UnicodeTable.ranges(ofProperty: fields[0]) ?? []
      #expect([fields[0], "\(ranges.reduce(0) { $0 + $1.count })", fingerprint(ranges)] == fields)
    }
  }

  @Test func categoriesByScalarAreThoseOfTheRanges() {
    for category in GeneralCategory.allCases where category != .cs {
      for range in UnicodeTable.ranges(of: [category]) {
        #expect(range.allSatisfy { UnicodeTable.category($0) == category })
      }
    }
    #expect(UnicodeTable.category(0xDABC) == .cs)
    #expect(UnicodeTable.category(0x110000) == .cn)
    #expect(UnicodeTable.category(.max) == .cn)
  }

  @Test(arguments: ["Klingon", "", "sc=Lu", "gc=Han", "sc=Han=Han", "Surrogates"])
  func unknownPropertiesHaveNoRanges(name: String) {
    #expect(UnicodeTable.ranges(ofProperty: name) == nil)
  }

  @Test(
    arguments: [
      (0x73, [0x53, 0x17F]), (0x6B, [0x4B, 0x212A]), (0x17F, [0x53, 0x73]), (0x31, []), (0x49, [0x69]), (0x130, []),
      (0x3C3, [0x3A3, 0x3C2]), (0xDF, [0x1E9E]), (0x10FFFF, []),
    ] as [(UInt32, [UInt32])])
  func caseVariantsAreThoseOfSimpleFolding(scalar: UInt32, variants: [UInt32]) {
    #expect(UnicodeTable.caseVariants(of: scalar) == variants)
  }

  @Test func bytesAndTheirLettersAnswerEachOther() {
    for byte in UInt8.min...UInt8.max { #expect(ByteAlphabet.byte(of: ByteAlphabet.scalar(of: byte).value) == byte) }
    #expect(ByteAlphabet.scalar(of: 0x20) == "Ġ")
    #expect(ByteAlphabet.scalar(of: 0x0A) == "Ċ")
    #expect(ByteAlphabet.scalar(of: 0xAD).value == 0x143)
    #expect(ByteAlphabet.byte(of: 0x20) == nil)
    #expect(ByteAlphabet.byte(of: 0x144) == nil)
    #expect(ByteAlphabet.byte(of: .max) == nil)
  }

  private func fingerprint(_ ranges: [ClosedRange<UInt32>]) -> String {
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    for range in ranges {
      let text =
        "\(String(range.lowerBound, radix: 16, uppercase: true))-\(String(range.upperBound, radix: 16, uppercase: true)),"
      for byte in text.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    let digits = String(digest, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
