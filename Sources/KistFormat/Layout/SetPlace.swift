import KistCore

/// Which file of a set one is. spec/kist-format.md, "Sets".
public struct SetPlace: Sendable, Equatable {
  /// 16 bytes that all files of the set share: the beginning of the SHA-256 of their manifest.
  package var id: [UInt8]
  /// From 1.
  public var number: Int
  public var count: Int

  package init(id: [UInt8], number: Int, count: Int) {
    self.id = id
    self.number = number
    self.count = count
  }

  /// The id of the set that a manifest describes.
  package static func id(ofManifest bytes: [UInt8]) -> [UInt8] { Array(Digest(hashing: bytes).bytes[..<16]) }
}
