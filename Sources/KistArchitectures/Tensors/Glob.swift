/// Names by a pattern in which `*` stands for any text.
enum Glob {
  /// - Complexity: the lengths' product at worst.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    let (name, pattern) = (Array(name.utf8), Array(pattern.utf8))
    let star = UInt8(ascii: "*")
    var (at, place) = (0, 0)
    // Where the last star stands, and how much of the name it has taken.
    var last: (place: Int, at: Int)?
    while at < name.count {
      if place < pattern.count, pattern[place] == star {
        last = (place, at)
        place += 1
      } else if place < pattern.count, pattern[place] == name[at] {
        (at, place) = (at + 1, place + 1)
      } else if let (starPlace, starAt) = last {
        last = (starPlace, starAt + 1)
        (at, place) = (starAt + 1, starPlace + 1)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == star }
  }
}
