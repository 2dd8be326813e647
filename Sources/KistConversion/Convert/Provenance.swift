import KistCore
import KistFormat

/// What a container was made from: `kist:provenance`. spec/kist-format.md, "Records".
package struct Provenance: Sendable, Equatable {
  package var source: Checkpoint.Format
  /// Names of the weight files, whose headers are assets of those names.
  package var weights: [String]
  package var emptyDirectories: [String]

  package init(source: Checkpoint.Format, weights: [String], emptyDirectories: [String]) {
    self.source = source
    self.weights = weights
    self.emptyDirectories = emptyDirectories
  }

  package func encoded() -> [UInt8] {
    var text = JSONText()
    var members: [(key: String, value: (inout JSONText) -> Void)] = [
      ("source", { $0.string(source.rawValue) }),
      ("weights", { $0.array(weights) { $0.string($1) } }),
    ]
    if !emptyDirectories.isEmpty { members.append(("directories", { $0.array(emptyDirectories) { $0.string($1) } })) }
    text.object(members)
    return text.bytes
  }

  package init(decoding bytes: [UInt8]) throws(KistError) {
    func damage(_ problem: String) -> KistError { KistError(.damaged, field: RecordName.provenance, problem) }
    func strings(_ value: JSONValue?) throws(KistError) -> [String] {
      guard let value else { return [] }
      let elements = value.array ?? []
      let strings = elements.compactMap(\.string)
      guard value.array != nil, strings.count == elements.count else { throw damage("not a list of names") }
      return strings
    }
    let document: JSONDocument
    do throws(KistError) { unsafe document = try JSONDocument(bytes.span.bytes, depth: 8) } catch {
      throw damage(error.problem)
    }
    guard let source = document.root["source"]?.string.flatMap(Checkpoint.Format.init(rawValue:)) else {
      throw damage("names no source that this Kist knows")
    }
    self.source = source
    weights = try strings(document.root["weights"])
    emptyDirectories = try strings(document.root["directories"])
  }
}
