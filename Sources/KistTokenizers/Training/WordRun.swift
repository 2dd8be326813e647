/// The symbols of one word, where they lie.
@unsafe struct WordRun {
  let symbols: UnsafeMutablePointer<UInt32>
  let count: Int
  /// How many characters each symbol stands for, when tokens have a maximum length.
  ///
  /// The reference notes it by place rather than by token: equal tokens can differ, where a prefix is also found in words.
  let lengths: UnsafeMutablePointer<UInt32>?
  let maximumLength: Int

  /// Where a pair stands for the first time at or behind `start`.
  func place(of left: UInt32, _ right: UInt32, from start: Int) -> Int? {
    var index = start
    while unsafe index + 1 < count {
      if unsafe symbols[index] == left && symbols[index + 1] == right { return index }
      index += 1
    }
    return nil
  }

  /// Moves symbols toward the beginning.
  func slide(_ range: Range<Int>, to target: Int) {
    guard range.lowerBound != target else { return }
    guard range.count < 16 else {
      unsafe (symbols + target).update(from: symbols + range.lowerBound, count: range.count)
      if let lengths = unsafe lengths {
        unsafe (lengths + target).update(from: lengths + range.lowerBound, count: range.count)
      }
      return
    }
    let distance = range.lowerBound - target
    for index in range { unsafe symbols[index - distance] = symbols[index] }
    if let lengths = unsafe lengths { for index in range { unsafe lengths[index - distance] = lengths[index] } }
  }

  /// Puts a symbol for two at its place.
  func join(_ index: Int, to target: Int, as symbol: UInt32) {
    unsafe symbols[target] = symbol
    if let lengths = unsafe lengths { unsafe lengths[target] = lengths[index] + lengths[index + 1] }
  }

  /// Whether two symbols may merge. (Below the maximum, not up to it: `word.rs` has `<`.)
  func fit(_ first: Int, _ second: Int) -> Bool {
    guard let lengths = unsafe lengths else { return true }
    return unsafe Int(lengths[first]) + Int(lengths[second]) < maximumLength
  }
}
