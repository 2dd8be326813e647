import Foundation
import KistCore
import Testing

@Suite struct KistErrorTests {
  @Test func `an error is one sentence: what, where, what to do`() {
    let error = KistError(.damaged, file: "a.kist", field: "root", offset: 4096, "is wrong", advice: "fetch it again")
    #expect("\(error)" == "a.kist: root: is wrong (at byte 4096); fetch it again")
    #expect("\(KistError(.invalid, "is wrong"))" == "is wrong")
  }

  @Test func `the file that is named first stays named`() {
    let error = KistError(.damaged, "is wrong").inFile("a").inFile("b")
    #expect(error.file == "a")
  }

  @Test func `nothing in an error steers a terminal`() {
    let steering =
      (0..<0x20).map(UInt32.init) + Array(0x7F..<0xA0) + [0x200E, 0x200F, 0x061C]
      + Array(0x202A...0x202E) + Array(0x2066...0x2069) + [0x2028, 0x2029]
    for scalar in steering.compactMap(Unicode.Scalar.init) {
      let text = "x" + String(scalar) + "y"
      let error = KistError(.damaged, file: text, field: text, text, advice: text)
      #expect(!"\(error)".unicodeScalars.contains(scalar), "U+\(String(scalar.value, radix: 16))")
      #expect("\(error)".contains("x\\u{\(String(scalar.value, radix: 16))}y"))
    }
  }

  @Test func `names in any language are left alone`() {
    for text in ["größe", "重み", "🦙", "e\u{301}", "שלום", "a b", "👩‍👩‍👧", "\\u{1b}"] {
      #expect(Array(text.escapedForTerminal.utf8) == Array(text.utf8))
    }
  }

  @Test(
    arguments: [
      (ENOENT, .missing), (EEXIST, .conflict), (ENOSPC, .system), (EACCES, .system), (EIO, .system), (EFBIG, .system),
    ] as [(Int32, KistError.Kind)])
  func `a failed system call names the file`(number: Int32, kind: KistError.Kind) {
    let error = KistError.fromErrno(file: "a.kist", number)
    #expect(error.kind == kind)
    #expect("\(error)".hasPrefix("a.kist: "))
  }
}
