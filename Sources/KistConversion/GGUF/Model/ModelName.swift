import Foundation

/// What the parts of a model's name say, as on the hub: `meta-llama/Llama-3.2-1B-Instruct`.
///
/// - Source: gguf-py 0.19, metadata.py, `get_model_id_components`; the rules are its own, so that the keys are.
struct ModelName: Equatable {
  var name: String
  var organization: String?
  var basename: String?
  var finetune: String?
  var version: String?
  var sizeLabel: String?

  private enum Kind { case basename, sizeLabel, finetune, version, type }

  /// - Parameter parameterCount: of the model, which tells a size from a length of context.
  init(_ id: String, parameterCount: Int) {
    // A sentence is a name as it is.
    guard !id.contains(" ") else {
      name = id
      return
    }
    let slash = id.firstIndex(of: "/")
    name = slash.map { String(id[id.index(after: $0)...]) } ?? id
    organization = slash.map { String(id[..<$0]) }
    if organization?.first == "." { organization = nil }
    var parts = name.split(separator: "-").map { (text: String($0), kinds: [Kind]()) }
    for index in parts.indices { ModelName.annotate(&parts[index], isFirst: index == 0, parameterCount) }
    ModelName.settle(&parts)

    func joined(_ kind: Kind) -> [String] { parts.filter { $0.kinds.contains(kind) }.map(\.text) }
    func text(_ texts: [String]) -> String? { texts.isEmpty ? nil : texts.joined(separator: "-") }
    basename = text(joined(.basename))
    var sizes: [String] = []
    for size in joined(.sizeLabel) where !sizes.contains(size) { sizes.append(size) }
    sizeLabel = text(sizes)
    finetune = text(joined(.finetune))
    version = text(parts.filter { $0.kinds.contains(.version) && !$0.kinds.contains(.basename) }.map(\.text))
    // Too little to go by.
    if sizeLabel == nil, finetune == nil, version == nil { basename = nil }
  }

  private static func annotate(_ part: inout (text: String, kinds: [Kind]), isFirst: Bool, _ parameterCount: Int) {
    let text = part.text
    if text.wholeMatch(of: /(?i)(v|iter)?\d+([.]\d+)*/) != nil {
      part.kinds = [.version]
    } else if text.wholeMatch(of: /(?i)i?q\d(_\w)*|b?fp?(16|32)/) != nil {
      part = (text.uppercased(), [.type])
    } else if !isFirst,
      text.wholeMatch(
        of: /(?i)(([A]|\d+[x])?\d+([._]\d+)?[KMBT][\d]?|small|mini|medium|large|x?xl)/) != nil
    {
      part = size(text, parameterCount)
    } else if !isFirst, text.wholeMatch(of: /(?i)chat|instruct|vision|lora/) != nil {
      part.kinds = [.finetune]
    }
  }

  /// `7B`, `8x7B`, `1.5b`, `7b1` for 7.1B; but 128k is a length of context.
  private static func size(_ text: String, _ parameterCount: Int) -> (text: String, kinds: [Kind]) {
    var part = Array(text.replacing("_", with: "."))
    if let last = part.last, last.isNumber, part.count > 1 {
      part = part.dropLast(2) + [".", last, part[part.count - 2]]
    }
    if part.count > 1, part[part.count - 2].isNumber, "kmbt".contains(part[part.count - 1]) {
      part[part.count - 1] = Character(part[part.count - 1].uppercased())
    }
    if parameterCount != 0, let number = Double(String(part.dropLast())), let last = part.last {
      let power = " KMBT".firstIndex(of: last).map { " KMBT".distance(from: " KMBT".startIndex, to: $0) } ?? -1
      let stated = number * pow(1000, Double(power))
      if abs(stated - Double(parameterCount)) > Double(7 * parameterCount / 8) {
        return (String(part.dropLast()) + last.lowercased(), [.finetune])
      }
    }
    return (String(part), [.sizeLabel])
  }

  /// Gives the parts that say nothing themselves a meaning by their place.
  private static func settle(_ parts: inout [(text: String, kinds: [Kind])]) {
    // A word counts as a size only where no number does.
    if parts.contains(where: { $0.kinds.contains(.sizeLabel) && $0.text.contains(where: \.isNumber) }) {
      for index in parts.indices where parts[index].text.allSatisfy(\.isLetter) {
        parts[index].kinds.removeAll { $0 == .sizeLabel }
      }
    }
    var isAtStart = true
    for index in parts.indices {
      let (text, kinds) = parts[index]
      if isAtStart, (kinds.isEmpty && text.first?.isLetter == true) || kinds.contains(.version) {
        parts[index].kinds.append(.basename)
      } else {
        isAtStart = false
        if kinds.isEmpty { parts[index].kinds.append(.finetune) }
      }
    }
    for index in parts.indices.reversed() {
      guard parts[index].kinds.contains(.basename), parts[index].kinds.count > 1 else { break }
      parts[index].kinds.removeAll { $0 == .basename }
    }
  }

  /// The words of a name with capitals, but for versions, numbers and what has capitals already.
  static func title(_ text: String) -> String {
    text.replacing("-", with: " ").split(whereSeparator: \.isWhitespace).map { word in
      let isLower = word.contains(where: \.isLowercase) && !word.contains(where: \.isUppercase)
      let isNumber = word.wholeMatch(of: /v\d+(\.\d+)*|\d.*/) != nil
      return isLower && !isNumber ? capitalized(word) : String(word)
    }.joined(separator: " ")
  }

  /// Every letter that follows none in upper case.
  private static func capitalized(_ word: Substring) -> String {
    var result = ""
    var follows = false
    for character in word {
      result += follows ? character.lowercased() : character.uppercased()
      follows = character.isLetter
    }
    return result
  }

  /// A count in at least two digits: `1.2B`, `34K`. Source: gguf-py 0.19, utility.py, `model_weight_count_rounded_notation`.
  static func rounded(_ count: Int) -> String {
    let (scale, suffix) =
      count > 1_000_000_000_000
      ? (1e-12, "T") : count > 1_000_000_000 ? (1e-9, "B") : count > 1_000_000 ? (1e-6, "M") : (1e-3, "K")
    let scaled = Double(count) * scale
    let digits = String(Int(scaled.rounded(.toNearestOrEven))).drop { $0 == "0" }.count
    return String(format: "%.\(max(2 - digits, 0))f", scaled) + suffix
  }
}
