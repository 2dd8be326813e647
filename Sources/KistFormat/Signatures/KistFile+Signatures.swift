import KistCore

/// A signature that a container carries.
public struct Signature: Sendable {
  public var key: VerifyingKey
  /// Whether the signature is of this file's package digest. Whether the key is one to trust is another question.
  public var isValid: Bool
}

extension KistFile {
  /// The signatures, sorted by fingerprint.
  ///
  /// They cover the package digest, and that covers the content only as far as ``verify(_:parallelism:progress:)`` finds it right.
  ///
  /// - Throws: `damaged` when a signature record is not one.
  public func signatures() throws(KistError) -> [Signature] {
    try signatures(under: RecordName.signaturePrefix, of: packageDigest)
  }

  /// The signatures in records of a prefix, as signatures of a digest.
  package func signatures(under prefix: String, of digest: Digest) throws(KistError) -> [Signature] {
    var signatures: [Signature] = []
    for entry in entries(of: .record) where entry.name.utf8.starts(with: prefix.utf8) {
      guard entry.byteCount == 96 else {
        throw KistError(.damaged, file: path, field: entry.name, "a signature has 96 bytes, not \(entry.byteCount)")
      }
      let bytes = try self.bytes(of: entry)
      let key = try VerifyingKey(rawRepresentation: Array(bytes[..<32]))
      guard compareBytes(prefix + key.fingerprint, entry.name) == 0 else {
        throw KistError(.damaged, file: path, field: entry.name, "is named for another key")
      }
      signatures.append(Signature(key: key, isValid: key.isSignature(Array(bytes[32...]), of: digest)))
    }
    return signatures
  }

  /// Whether the file carries a valid signature by a key.
  public func isSigned(by key: VerifyingKey) throws(KistError) -> Bool {
    try signatures().contains { $0.isValid && $0.key.isSame(as: key) }
  }
}

extension KistEditor {
  /// Signs the container as it is, in place.
  public static func sign(path: String, key: SigningKey) throws(KistError) {
    let editor = try KistEditor(path: path)
    try editor.requireWhole()
    editor.put(try key.signature(of: editor.packageDigest))
    _ = try editor.commit()
  }
}
