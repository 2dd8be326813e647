/// How many characters each symbol stands for, when tokens have a maximum length.
///
/// The reference notes it by place rather than by token: equal tokens can differ, where a prefix is also found in words.
@safe final class TokenLengths {
  private let lengths: GrowingMemory<UInt32>
  private let maximum: Int

  init(maximum: Int, symbolCount: Int) {
    lengths = GrowingMemory(repeating: 1, count: symbolCount)
    self.maximum = maximum
  }

  /// Puts the length of a symbol and the next one together.
  func join(_ index: Int, into place: Int) { lengths[place] = lengths[index] + lengths[index + 1] }

  func move(_ index: Int, to place: Int) { lengths[place] = lengths[index] }

  /// Whether two symbols may merge. (Below the maximum, not up to it: `word.rs` has `<`.)
  func fit(_ first: Int, _ second: Int) -> Bool { Int(lengths[first]) + Int(lengths[second]) < maximum }
}
