import KistCore
import KistFormat

extension PartNumber {
  /// Where this part is written when the whole would be written to `target`.
  func path(of target: String, _ format: Checkpoint.Format) throws(KistError) -> String {
    guard format == .kist else {
      throw KistError(
        .invalid, file: target, "a conversion in parts writes .kist files",
        advice: "name a .kist file, join its parts, and convert that")
    }
    return SetFileName(prefix: target.dropLast(".kist".count) + "-part", number: number, count: count, suffix: "kist")
      .path
  }
}

extension KistWriter {
  /// Says which file of a set this is.
  func add(_ manifest: SetManifest, number: Int) throws(KistError) {
    // It has no place in the order of the source.
    try add([.record(RecordName.manifest, manifest.encoded())], firstOrdinal: 0)
    place = manifest.place(number)
  }
}

extension NewEntry {
  var isManifest: Bool { kind == .record && compareBytes(name, RecordName.manifest) == 0 }

  /// Signatures and probes are about the whole model: in a part of it they wait under another name.
  var held: NewEntry { renamed(RecordName.held(name)) }

  /// The same for signatures alone: a set of shards computes what its probes say.
  var heldSignature: NewEntry { compareBytes(name, RecordName.probes) == 0 ? self : held }

  /// With the name that it has in the whole.
  var released: NewEntry { renamed(RecordName.released(name)) }

  private func renamed(_ name: String) -> NewEntry {
    guard kind == .record else { return self }
    var entry = self
    entry.name = name
    return entry
  }
}

extension RecordName {
  private static let own = "kist:"

  static func held(_ name: String) -> String {
    guard name.utf8.starts(with: signaturePrefix.utf8) || name == probes else { return name }
    return heldPrefix + name.dropFirst(own.count)
  }

  static func released(_ name: String) -> String {
    name.utf8.starts(with: heldPrefix.utf8) ? own + name.dropFirst(heldPrefix.count) : name
  }
}
