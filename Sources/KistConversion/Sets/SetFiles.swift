import Foundation
import KistCore
import KistFormat

/// Finds the other files of a set.
enum SetFiles {
  /// The shards of the set that a container is one of, in order; the container alone when it is whole, or part of a conversion.
  ///
  /// - Throws: `missing` naming the shard that is not there; `invalid` when they do not go together.
  static func around(_ file: KistFile) throws(KistError) -> [KistFile] {
    guard let place = file.place, let manifest = try SetManifest(of: file), manifest.kind == .shards, place.count > 1
    else { return [file] }
    guard let name = SetFileName(file.path), (name.number, name.count) == (place.number, place.count) else {
      throw KistError(
        .invalid, file: file.path, "is shard \(place.number) of \(place.count), and its name does not say so",
        advice: "give the shards their names back: name-00001-of-\(SetFileName.digits(place.count)).kist and so on")
    }
    var files: [KistFile] = []
    for number in 1...place.count {
      guard number != place.number else {
        files.append(file)
        continue
      }
      var other = name
      other.number = number
      files.append(try open(other.path, besides: file))
    }
    return try SetJoin.complete(files)
  }

  private static func open(_ path: String, besides file: KistFile) throws(KistError) -> KistFile {
    do throws(KistError) { return try KistFile(path: path) } catch {
      guard error.kind == .missing else { throw error }
      throw KistError(
        .missing, file: file.path, "is one of \(file.place?.count ?? 0) shards, and \(path) is not there",
        advice: "finish the download")
    }
  }

  /// The shards in a folder that holds one set, and no weights of other formats; nil when it does not.
  static func inFolder(_ path: String) throws(KistError) -> [KistFile]? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard !names.contains(where: { $0.hasSuffix(".safetensors") || $0.hasSuffix(".bin") || $0.hasSuffix(".gguf") })
    else { return nil }
    let files = names.sorted().compactMap { SetFileName(path + "/" + $0) }.filter { $0.suffix == "kist" }
    guard let first = files.first else { return nil }
    if let other = files.first(where: { ($0.prefix, $0.count) != (first.prefix, first.count) }) {
      throw KistError(
        .invalid, file: path, "holds files of more than one set, such as \(first.path) and \(other.path)",
        advice: "name a file of the one that is meant")
    }
    let file = try KistFile(path: first.path)
    guard let manifest = try SetManifest(of: file), manifest.kind == .shards else {
      throw KistError(
        .invalid, file: path, "holds parts of a conversion", advice: "`kist join` makes one file of them")
    }
    return try around(file)
  }
}
