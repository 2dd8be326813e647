import KistCore

/// Tensors of one dtype and shape whose names differ in nothing but numbers: the same part of every layer.
///
/// `encoder.layer.{0-5}.attention.self.query.weight  [384, 384] F32 ×6`
public struct TensorGroup: Sendable, Codable, Equatable {
  /// The common name; numbers that vary stand in braces, as ranges: `{0-5}`, `{0-2,7}`.
  public var pattern: String
  public var dtype: String
  public var shape: [Int]
  public var tensorCount: Int
  public var elementCount: Int
  public var rawByteCount: Int
  public var storedByteCount: Int

  enum CodingKeys: String, CodingKey {
    case pattern, dtype, shape
    case tensorCount = "tensors"
    case elementCount = "elements"
    case rawByteCount = "raw_bytes"
    case storedByteCount = "stored_bytes"
  }

  /// Groups rows, in the order in which each group's first member comes.
  static func groups(of rows: [TensorRow]) -> [TensorGroup] {
    var order: [GroupKey] = []
    var members: [GroupKey: [(numbers: [Int], row: TensorRow)]] = [:]
    for row in rows {
      let name = NumberedName(row.name)
      let key = GroupKey(literals: name.literals, dtype: row.dtype, shape: row.shape)
      if members[key] == nil { order.append(key) }
      members[key, default: []].append((name.numbers, row))
    }
    return order.map { key in
      let group = members[key] ?? []
      return TensorGroup(
        pattern: pattern(key.literals, group.map(\.numbers)), dtype: key.dtype, shape: key.shape,
        tensorCount: group.count,
        elementCount: group.reduce(0) { $0 + $1.row.elementCount },
        rawByteCount: group.reduce(0) { $0 + $1.row.rawByteCount },
        storedByteCount: group.reduce(0) { $0 + $1.row.storedByteCount })
    }
  }

  static func pattern(_ literals: [String], _ numbers: [[Int]]) -> String {
    var text = literals[0]
    for slot in literals.indices.dropLast() {
      let values = Set(numbers.map { $0[slot] }).sorted()
      text += values.count == 1 ? String(values[0]) : "{\(ranges(values))}"
      text += literals[slot + 1]
    }
    return text
  }

  /// `0-2,5,7-9` of sorted numbers.
  private static func ranges(_ sorted: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for value in sorted {
      if let last = runs.last, last.upperBound + 1 == value {
        runs[runs.count - 1] = last.lowerBound...value
      } else {
        runs.append(value...value)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
  }
}

private struct GroupKey: Hashable {
  var literals: [String]
  var dtype: String
  var shape: [Int]
}

/// A name cut at its numbers: the parts between dots or slashes that are decimal digits.
struct NumberedName {
  /// One more than there are numbers.
  var literals: [String] = [""]
  var numbers: [Int] = []

  init(_ name: String) {
    var rest = Substring(name)
    while !rest.isEmpty {
      let part = rest.prefix { $0 != "." && $0 != "/" }
      rest = rest.dropFirst(part.count)
      // What Int would write another way, as 007, is a name and not a number.
      if let number = Int(part), number >= 0, String(number) == part {
        numbers.append(number)
        literals.append("")
      } else {
        literals[literals.count - 1] += part
      }
      if let separator = rest.popFirst() { literals[literals.count - 1].append(separator) }
    }
  }
}
