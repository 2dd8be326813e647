import Foundation
import KistCore
import KistFormat

extension Conversion {
  /// Lets the container say what its model computes.
  func recordProbes(_ outcome: inout Outcome) throws(KistError) {
    // A part has not the whole model: probes are added after the join.
    guard options.probes != .none, options.part == nil else { return }
    // A container brings its own, and its signatures are of content that must not change.
    guard source.container == nil, takesAll else {
      guard case .golden = options.probes else { return }
      throw KistError(
        .unsupported, file: target, "probes are recorded when a whole model becomes a container, and this is not one")
    }
    let recorded = try options.probes.record(of: source, into: target, options.parallelism)
    outcome.byteCount += recorded.byteCount
    outcome.notices += recorded.notices
  }
}

extension SetJoin {
  /// Lets the joined container say what its model computes.
  public func recordProbes(
    _ probes: ConversionOptions.ProbeSource, parallelism: Parallelism, _ outcome: inout Outcome
  ) throws(KistError) {
    guard probes != .none else { return }
    let recorded = try probes.record(of: try Checkpoint.open(path: target), into: target, parallelism)
    outcome.byteCount += recorded.byteCount
    outcome.notices += recorded.notices
  }
}

extension ConversionOptions.ProbeSource {
  /// Records probes in a container by a commit of its own: everything before it is the same on every machine.
  ///
  /// - Returns: the bytes that it took, and what a person should know.
  func record(
    of source: Checkpoint, into target: String, _ parallelism: Parallelism
  ) throws(KistError) -> (byteCount: Int, notices: [String]) {
    let probes: ProbeSet
    do throws(KistError) {
      probes = try compute(of: source, parallelism)
    } catch {
      // What nobody asked for is no obstacle.
      guard self == .computed, error.kind != .interrupted else { throw error }
      return (0, ["no probes: \(error)"])
    }
    let editor = try KistEditor(path: target, options: WriterOptions(parallelism: parallelism))
    editor.put(.record(RecordName.probes, try probes.encoded()))
    return (try editor.commit().writtenByteCount, [])
  }

  private func compute(of source: Checkpoint, _ parallelism: Parallelism) throws(KistError) -> ProbeSet {
    let model = try LoadedModel(source)
    if case .golden(let path) = self { return try ProbeSet(try LogitFile(path: path), of: model) }
    return try ProbeSet(of: model, parallelism: parallelism)
  }
}
