import KistCore
import KistFormat

/// What the files of a set have in common: `kist:manifest`. Its digest is the set's id, so files go together when theirs is the same.
/// spec/kist-format.md, "Sets".
package struct SetManifest: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Pieces of one model that are used together.
    case shards
    /// Pieces of one conversion, to be joined.
    case parts
  }

  package var kind: Kind
  package var count: Int
  /// ``SourceFingerprint``, hexadecimal.
  package var source: String
  /// The versions that the bytes depend on.
  package var writer: String
  /// The options that the bytes depend on.
  package var options: [Option]

  package struct Option: Sendable, Equatable {
    package var name: String
    package var value: String
  }

  package init(_ kind: Kind, count: Int, source: Checkpoint, options: [Option]) throws(KistError) {
    self.kind = kind
    self.count = count
    self.source = try SourceFingerprint(of: source).digest.hexadecimal
    writer = "\(KistVersion.name), \(ZstdVersion.name)"
    self.options = options
  }

  /// Says that tensors were quantized, and to what.
  static let quantizeOption = "quantize"

  /// Whether the set computes something else than its source.
  var isQuantized: Bool { options.contains { $0.name == Self.quantizeOption } }

  static let allFilesOption = "all-files"

  var takesAllFiles: Bool { options.contains { $0.name == Self.allFilesOption } }

  package func place(_ number: Int) -> SetPlace {
    SetPlace(id: SetPlace.id(ofManifest: encoded()), number: number, count: count)
  }

  package func encoded() -> [UInt8] {
    var text = JSONText()
    text.object([
      ("kind", { $0.string(kind.rawValue) }),
      ("count", { $0.literal(String(count)) }),
      ("source", { $0.string(source) }),
      ("writer", { $0.string(writer) }),
      ("options", { text in text.object(options.map { option in (option.name, { $0.string(option.value) }) }) }),
    ])
    return text.bytes
  }

  /// The manifest of a file; nil when it is not part of a set.
  ///
  /// - Throws: `damaged` when it is not what the file's root says.
  package init?(of file: KistFile) throws(KistError) {
    guard let place = file.place else { return nil }
    func damage(_ problem: String) -> KistError {
      KistError(.damaged, file: file.path, field: RecordName.manifest, problem)
    }
    guard let bytes = try file.recordBytes(RecordName.manifest) else {
      throw damage("is not there, in a file of a set")
    }
    guard SetPlace.id(ofManifest: bytes) == place.id else { throw damage("is not the one that the set id is made of") }
    let document: JSONDocument
    do throws(KistError) { unsafe document = try JSONDocument(bytes.span.bytes, depth: 8) } catch {
      throw damage(error.problem)
    }
    let root = document.root
    guard let kind = root["kind"]?.string.flatMap(Kind.init(rawValue:)) else {
      throw KistError(
        .unsupported, file: file.path, field: RecordName.manifest, "is of a kind of set that this Kist does not know",
        advice: "use a newer Kist")
    }
    guard let source = root["source"]?.string, let writer = root["writer"]?.string,
      let options = root["options"]?.members
    else { throw damage("does not say what the set is made from") }
    self.kind = kind
    count = place.count
    self.source = source
    self.writer = writer
    self.options = options.map { Option(name: $0.key, value: $0.value.string ?? "") }
  }

  /// What differs, in words; nil when nothing does.
  package func difference(from other: SetManifest) -> String? {
    if kind != other.kind || count != other.count {
      return "is one of \(count) \(kind.rawValue), the other one of \(other.count) \(other.kind.rawValue)"
    }
    if source != other.source {
      return "is made from another source (fingerprint \(source.prefix(16)), the other's \(other.source.prefix(16)))"
    }
    if writer != other.writer { return "is written by \(writer), the other by \(other.writer)" }
    let names = options.map(\.name) + other.options.map(\.name)
    func value(_ name: String, _ options: [Option]) -> String {
      options.first { compareBytes($0.name, name) == 0 }.map { "'\($0.value)'" } ?? "not given"
    }
    guard let name = names.first(where: { value($0, options) != value($0, other.options) }) else { return nil }
    return "is made with other options: \(name) is \(value(name, options)), the other's \(value(name, other.options))"
  }
}
