import KernelClones
import TestSupport
import Testing

/// The kernels that cut text: each clone gives what the plainest does. What the program calls is held against the twins by
/// KistTokenizersTests.
@Suite struct TextKernelTests {
  private static let fragments = [
    " ", "  ", "\n", "\r\n ", "\t", "word", "Word", "wordWord", "12345", "'s", "'LL", "it's", "'", "/", "\n/", "!\n/",
    "(", "é", "▁", "▁▁", "京",
    "along-and-longer", "                  ",
  ].map { Array($0.utf8) }

  @Test(arguments: Clone.all) func `clones cut texts of every length alike`(clone: Clone) throws {
    let plain = try #require(Clone.all.last { $0.testDescription == "any x86-64" } ?? Clone.all.first)
    var random = SeededGenerator(seed: 61)
    for length in 0..<600 {
      var text: [UInt8] = []
      while text.count < length % 300 { text += Self.fragments.randomElement(using: &random) ?? [] }
      #expect(clone.cuts(text) == plain.cuts(text))
    }
  }
}

extension Clone {
  /// What each kernel writes of a text, with how far it comes.
  func cuts(_ text: [UInt8]) -> [[Int]] {
    var cuts: [[Int]] = []
    func add(_ kernel: (inout Int, UnsafeMutablePointer<Int>) -> Int) {
      var (start, ends) = (0, [Int](repeating: -1, count: 512))
      let count = unsafe ends.withUnsafeMutableBufferPointer { ends in
        unsafe ends.baseAddress.map { unsafe kernel(&start, $0) } ?? 0
      }
      cuts.append([start] + ends.prefix(count))
    }
    unsafe add { unsafe kernels.gpt2_ends?(text, text.count, &$0, $1, 512) ?? 0 }
    for flag in [false, true] {
      unsafe add { unsafe kernels.word_ends?(text, text.count, flag, &$0, $1, 512) ?? 0 }
      unsafe add { unsafe kernels.cased_ends?(text, text.count, flag, true, &$0, $1, 512) ?? 0 }
      unsafe add { unsafe kernels.cased_ends?(text, text.count, flag, false, &$0, $1, 512) ?? 0 }
      var (follows, output) = (flag, [UInt8](repeating: 0, count: 3 * text.count + 16))
      let count =
        unsafe kernels.copy_with_spaces?(text, text.count, [0xE2, 0x96, 0x81], 3, flag, &follows, &output) ?? 0
      cuts.append([follows ? 1 : 0] + output.prefix(count).map { Int($0) })
    }
    unsafe add { unsafe kernels.marker_ends?(text, text.count, 0, $1, 512) ?? 0 }
    return cuts
  }
}
