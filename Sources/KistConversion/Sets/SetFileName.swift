/// The name of a file of a set: `big-00001-of-00003.kist`; of a part of a conversion `big-part-00003-of-00008.kist`.
struct SetFileName: Equatable {
  /// With the folder, up to the number.
  var prefix: String
  /// From 1.
  var number: Int
  var count: Int
  var suffix: String

  var path: String { "\(prefix)-\(Self.digits(number))-of-\(Self.digits(count)).\(suffix)" }

  init(prefix: String, number: Int, count: Int, suffix: String) {
    (self.prefix, self.number, self.count, self.suffix) = (prefix, number, count, suffix)
  }

  /// Nil when the path does not end that way.
  init?(_ path: String) {
    guard let match = path.wholeMatch(of: #/(.+)-([0-9]{5})-of-([0-9]{5})\.([a-z]+)/#),
      let number = Int(match.2), let count = Int(match.3)
    else { return nil }
    self.init(prefix: String(match.1), number: number, count: count, suffix: String(match.4))
  }

  static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
