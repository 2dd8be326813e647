import Foundation
import KistCore
import KistFormat

extension Conversion {
  /// Whether the container is to say what its model computes.
  func wantsProbes() throws(KistError) -> Bool {
    // A part has not the whole model: probes are added after the join.
    guard options.probes != .none, options.part == nil else { return false }
    // A container brings its own, and its signatures are of content that must not change.
    guard source.containers.isEmpty || isRetyped, takesAll else {
      guard case .golden = options.probes else { return false }
      throw KistError(
        .unsupported, file: target, "probes are recorded when a whole model becomes a container, and this is not one")
    }
    return true
  }

  func recordProbes(_ outcome: inout Outcome) throws(KistError) {
    guard let probes = try probes(&outcome) else { return }
    outcome.byteCount += try ProbeSet.record(probes, into: target, options.parallelism)
  }

  /// The record of what the source computes; nil when it is not wanted or can't be had.
  func probes(_ outcome: inout Outcome) throws(KistError) -> [UInt8]? {
    guard try wantsProbes() else { return nil }
    if options.probes == .computed, let recorded = try source.recordedProbes() { return recorded }
    let (probes, notices) = try options.probes.compute(of: source, options.parallelism)
    outcome.notices += notices
    return try probes?.encoded()
  }
}

extension Checkpoint {
  /// The record of a container that says already what its model computes.
  func recordedProbes() throws(KistError) -> [UInt8]? {
    for container in containers {
      if let recorded = try container.recordBytes(RecordName.probes) { return recorded }
    }
    return nil
  }
}

extension ProbeSet {
  /// Records probes in a container by a commit of its own: everything before it is the same on every machine.
  ///
  /// - Returns: the bytes by which the file grew.
  static func record(_ encoded: [UInt8], into target: String, _ parallelism: Parallelism) throws(KistError) -> Int {
    let editor = try KistEditor(path: target, options: WriterOptions(parallelism: parallelism))
    editor.put(.record(RecordName.probes, encoded))
    // The page of the commit was there already.
    return try editor.commit().writtenByteCount - Layout.pageByteCount
  }
}

extension ConversionOptions.ProbeSource {
  /// - Returns: the probes, or what a person should know: what nobody asked for is no obstacle.
  func compute(
    of source: Checkpoint, _ parallelism: Parallelism
  ) throws(KistError) -> (probes: ProbeSet?, notices: [String]) {
    do throws(KistError) {
      let model = try LoadedModel(source)
      if case .golden(let path) = self { return (try ProbeSet(try LogitFile(path: path), of: model), []) }
      return (try ProbeSet(of: model, parallelism: parallelism), [])
    } catch {
      guard self == .computed, error.kind != .interrupted else { throw error }
      return (nil, ["no probes: \(error)"])
    }
  }
}
