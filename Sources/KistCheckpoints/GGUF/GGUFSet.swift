import Foundation
import KistCore

/// A model in one GGUF, or split into several: `name-00001-of-00003.gguf`.
///
/// - Source: llama.cpp's `llama_split_path` and gguf-split; the keys `split.no` (from 0), `split.count`, `split.tensors.count`.
public struct GGUFSet: Sendable {
  /// In order.
  public let files: [GGUFFile]
  /// Names of the files, without a folder.
  public let names: [String]

  /// More parts are a mistake or an attack.
  private static let maximumCount = 99_999

  /// Opens a GGUF and, when it is one part of a model, the others beside it.
  ///
  /// - Throws: `missing` naming the part that is not there; `damaged` when parts contradict each other or repeat a tensor.
  package init(_ file: MappedFile) throws(KistError) {
    let first = try GGUFFile(file)
    let split: GGUFSplit?
    do throws(KistError) { split = try GGUFSplit(first) } catch { throw error.inFile(file.path) }
    guard let split, split.count > 1 else {
      files = [first]
      names = [fileName(file.path)]
      return
    }
    guard split.count <= Self.maximumCount else {
      throw KistError(.damaged, file: file.path, field: "key 'split.count'", "\(split.count) is more than a model has")
    }
    guard let name = GGUFSplitName(file.path), name.count == split.count, name.number == split.number else {
      throw KistError(
        .invalid, file: file.path,
        "is part \(split.number + 1) of \(split.count) of a model, and its name does not say so",
        advice: "give the parts their names back: \(GGUFSplitName.path("name", split.number, of: split.count))")
    }
    let parts = (0..<split.count).map { GGUFSplitName.path(name.prefix, $0, of: split.count) }
    files = try parts.enumerated().map { number, path throws(KistError) in
      number == split.number ? first : try Self.part(path, number, split, of: file.path)
    }
    names = parts.map(fileName)
    try Self.check(files, names, split, path: file.path)
  }

  private static func part(
    _ path: String, _ number: Int, _ split: GGUFSplit, of first: String
  ) throws(KistError) -> GGUFFile {
    let file: GGUFFile
    do throws(KistError) { file = try GGUFFile(path: path) } catch {
      guard error.kind == .missing else { throw error }
      throw KistError(
        .missing, file: first, "is one of \(split.count) parts, and \(path) is not there",
        advice: "finish the download")
    }
    guard let other = try GGUFSplit(file), other.count == split.count, other.number == number else {
      throw KistError(
        .damaged, file: path, field: "key 'split.no'", "is not part \(number + 1) of \(split.count), as its name says")
    }
    return file
  }

  private static func check(
    _ files: [GGUFFile], _ names: [String], _ split: GGUFSplit, path: String
  ) throws(KistError) {
    var owners: [NameBytes: String] = [:]
    for (file, name) in zip(files, names) {
      for tensor in file.header.tensors {
        if let other = owners.updateValue(name, forKey: NameBytes(tensor.name)) {
          throw KistError(.damaged, file: path, field: "tensor '\(tensor.name)'", "is in both \(other) and \(name)")
        }
      }
    }
    if let expected = split.tensorCount, expected != owners.count {
      throw KistError(
        .damaged, file: path, field: "key 'split.tensors.count'",
        "says \(expected) tensors, and the parts have \(owners.count)")
    }
  }
}

/// Which part of a model a GGUF says that it is.
struct GGUFSplit {
  /// From 0.
  var number: Int
  var count: Int
  /// Of all parts.
  var tensorCount: Int?

  /// Nil when the file does not speak of parts.
  init?(_ file: GGUFFile) throws(KistError) {
    func integer(_ key: String) throws(KistError) -> Int? {
      guard let value = try file.value(key, atMost: 0) else { return nil }
      guard let integer = value.integer.flatMap(Int.init(exactly:)), integer >= 0 else {
        throw KistError(.damaged, field: "key '\(key)'", "is not a count")
      }
      return integer
    }
    guard let count = try integer(GGUFSplit.countKey) else { return nil }
    self.count = count
    number = try integer(GGUFSplit.numberKey) ?? 0
    tensorCount = try integer(GGUFSplit.tensorCountKey)
  }

  static let numberKey = "split.no"
  static let countKey = "split.count"
  static let tensorCountKey = "split.tensors.count"
}

/// The name of a part: `prefix-00001-of-00003.gguf`.
package struct GGUFSplitName {
  /// With the folder.
  package var prefix: String
  /// From 0.
  package var number: Int
  package var count: Int

  /// Nil when a path is not of that form.
  package init?(_ path: String) {
    let end = Array("-00001-of-00003.gguf".utf8)
    let bytes = Array(path.utf8)
    guard bytes.count > end.count else { return nil }
    let suffix = Array(bytes.suffix(end.count))
    guard zip(suffix, end).allSatisfy({ isDigit($1) ? isDigit($0) : $0 == $1 }),
      let number = Int(String(decoding: suffix[1..<6], as: UTF8.self)),
      let count = Int(String(decoding: suffix[10..<15], as: UTF8.self)), (1...count).contains(number)
    else { return nil }
    prefix = String(decoding: bytes.dropLast(end.count), as: UTF8.self)
    self.number = number - 1
    self.count = count
  }

  package static func path(_ prefix: String, _ number: Int, of count: Int) -> String {
    func digits(_ value: Int) -> String { String(repeating: "0", count: max(0, 5 - "\(value)".count)) + "\(value)" }
    return "\(prefix)-\(digits(number + 1))-of-\(digits(count)).gguf"
  }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
