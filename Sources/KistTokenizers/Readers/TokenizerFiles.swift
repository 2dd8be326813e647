import Foundation
import KistCore

/// Where a tokenizer's files are: a folder, or the assets of a container.
package struct TokenizerFiles {
  /// The names that there are.
  let names: [String]
  private let read: (String) throws(KistError) -> [UInt8]?

  /// Larger files are no tokenizers.
  package static let maximumByteCount = 1 << 30

  package init(names: [String], read: @escaping (String) throws(KistError) -> [UInt8]?) {
    self.names = names
    self.read = read
  }

  /// The files of a folder.
  package init(folder: String) throws(KistError) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw KistError(.system, file: folder, "can't be listed")
    }
    self.init(names: names) { (name: String) throws(KistError) in
      try Self.bytes(path: folder + "/" + name)
    }
  }

  func has(_ name: String) -> Bool { names.contains { $0.utf8.elementsEqual(name.utf8) } }

  /// - Returns: Nil when there is no file of that name.
  func bytes(_ name: String) throws(KistError) -> [UInt8]? {
    guard has(name) else { return nil }
    do throws(KistError) {
      let bytes = try read(name)
      guard bytes?.count ?? 0 <= Self.maximumByteCount else {
        throw KistError(.unsupported, "is too large for a tokenizer")
      }
      return bytes
    } catch { throw error.inFile(name) }
  }

  /// The root of a JSON file; nil when there is no such file.
  func json(_ name: String) throws(KistError) -> JSONValue? {
    guard let bytes = try bytes(name) else { return nil }
    do throws(KistError) {
      return try JSONDocument(bytes, depth: TokenizerJSON.maximumDepth).root
    } catch { throw error.inFile(name) }
  }

  static func bytes(path: String) throws(KistError) -> [UInt8] {
    let file = try MappedFile(path: path)
    guard file.count <= maximumByteCount else {
      throw KistError(.unsupported, file: path, "is too large for a tokenizer")
    }
    var bytes: [UInt8] = []
    // JSON is then parsed where it lies.
    bytes.reserveAhead(file.count + JSONDocument.padding)
    unsafe bytes.append(contentsOf: file.pointer(0..<file.count))
    try file.checkIntact()
    return bytes
  }
}
