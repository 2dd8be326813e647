import Foundation
import KistCore
import KistFormat

extension Conversion {
  /// Lets the container say what its model computes, by a commit of its own: everything before it is the same on every machine.
  func recordProbes(_ outcome: inout Outcome) throws(KistError) {
    guard options.probes != .none else { return }
    // A container brings its own, and its signatures are of content that must not change.
    guard source.container == nil || isRetyped, takesAll else {
      guard case .golden = options.probes else { return }
      throw KistError(
        .unsupported, file: target, "probes are recorded when a whole model becomes a container, and this is not one")
    }
    if let container = source.container, options.probes == .computed,
      let recorded = try container.recordBytes(RecordName.probes)
    {
      return try put(recorded, &outcome)
    }
    let probes: ProbeSet
    do throws(KistError) {
      probes = try recordedProbes()
    } catch {
      // What nobody asked for is no obstacle.
      guard options.probes == .computed, error.kind != .interrupted else { throw error }
      outcome.notices.append("no probes: \(error)")
      return
    }
    try put(try probes.encoded(), &outcome)
  }

  private func put(_ probes: [UInt8], _ outcome: inout Outcome) throws(KistError) {
    let editor = try KistEditor(path: target, options: WriterOptions(parallelism: options.parallelism))
    editor.put(.record(RecordName.probes, probes))
    outcome.byteCount += try editor.commit().writtenByteCount
  }

  private func recordedProbes() throws(KistError) -> ProbeSet {
    let model = try LoadedModel(source)
    if case .golden(let path) = options.probes { return try ProbeSet(try LogitFile(path: path), of: model) }
    return try ProbeSet(of: model, parallelism: options.parallelism)
  }
}
