import Crypto
import Foundation
import KistCore
import SwiftASN1

/// An Ed25519 key for signing containers, as PEM: PKCS #8 (RFC 8410), what `openssl genpkey -algorithm ed25519` writes.
public struct SigningKey: Sendable {
  fileprivate let key: Curve25519.Signing.PrivateKey

  /// A new random key.
  public init() { key = Curve25519.Signing.PrivateKey() }

  /// Reads a private key.
  ///
  /// - Throws: `invalid` when the text is not the PEM of an Ed25519 private key.
  public init(pem: String) throws(KistError) {
    key = try readKey(pem, label: "PRIVATE KEY") { node in
      try DER.sequence(node, identifier: .sequence) { fields in
        _ = try Int(derEncoded: &fields)  // version
        try requireEd25519(&fields)
        let inner = try ASN1OctetString(derEncoded: &fields)
        while fields.next() != nil {}  // attributes and public key, which RFC 5958 allows
        let seed = try ASN1OctetString(derEncoded: inner.bytes)
        return try Curve25519.Signing.PrivateKey(rawRepresentation: seed.bytes)
      }
    }
  }

  /// The key as PEM. Whoever has it can sign in the owner's name.
  public var pem: String {
    writeKey(label: "PRIVATE KEY") { der throws in
      try der.serialize(0)
      try der.appendConstructedNode(identifier: .sequence) { try $0.serialize(ed25519) }
      var inner = DER.Serializer()
      try inner.serialize(ASN1OctetString(contentBytes: ArraySlice(key.rawRepresentation)))
      try der.serialize(ASN1OctetString(contentBytes: ArraySlice(inner.serializedBytes)))
    }
  }

  public var verifyingKey: VerifyingKey { VerifyingKey(key: key.publicKey) }

  /// The signature record of a package digest.
  func signature(of digest: Digest) throws(KistError) -> NewEntry {
    do {
      let signature = try key.signature(for: digest.bytes)
      return .record(verifyingKey.recordName, Array(key.publicKey.rawRepresentation) + Array(signature))
    } catch {
      throw KistError(.system, "signing failed: \(error)")
    }
  }
}

/// The public half of a ``SigningKey``, as PEM: SubjectPublicKeyInfo (RFC 8410).
public struct VerifyingKey: Sendable {
  fileprivate let key: Curve25519.Signing.PublicKey

  fileprivate init(key: Curve25519.Signing.PublicKey) { self.key = key }

  /// Reads a public key.
  ///
  /// - Throws: `invalid` when the text is not the PEM of an Ed25519 public key.
  public init(pem: String) throws(KistError) {
    key = try readKey(pem, label: "PUBLIC KEY") { node in
      try DER.sequence(node, identifier: .sequence) { fields in
        try requireEd25519(&fields)
        let bits = try ASN1BitString(derEncoded: &fields)
        return try Curve25519.Signing.PublicKey(rawRepresentation: bits.bytes)
      }
    }
  }

  init(rawRepresentation: [UInt8]) throws(KistError) {
    do { key = try Curve25519.Signing.PublicKey(rawRepresentation: rawRepresentation) } catch {
      throw KistError(.damaged, field: "signature", "holds no public key")
    }
  }

  public var pem: String {
    writeKey(label: "PUBLIC KEY") { der throws in
      try der.appendConstructedNode(identifier: .sequence) { try $0.serialize(ed25519) }
      try der.serialize(ASN1BitString(bytes: ArraySlice(key.rawRepresentation)))
    }
  }

  /// 16 hexadecimal digits that tell keys apart.
  public var fingerprint: String {
    String(Digest(hashing: Array(key.rawRepresentation)).hexadecimal.prefix(16))
  }

  var recordName: String { RecordName.signaturePrefix + fingerprint }

  func isSignature(_ signature: [UInt8], of digest: Digest) -> Bool {
    key.isValidSignature(signature, for: digest.bytes)
  }

  package func isSame(as other: VerifyingKey) -> Bool { key.rawRepresentation == other.key.rawRepresentation }
}

/// RFC 8410: id-Ed25519.
private let ed25519: ASN1ObjectIdentifier = [1, 3, 101, 112]

private func requireEd25519(_ fields: inout ASN1NodeCollection.Iterator) throws {
  let algorithm = try fields.next().map { node in
    try DER.sequence(node, identifier: .sequence) { try ASN1ObjectIdentifier(derEncoded: &$0) }
  }
  guard algorithm == ed25519 else {
    throw KistError(.invalid, field: "key", "not an Ed25519 key", advice: "make one with `kist keygen`")
  }
}

private func readKey<Key>(
  _ text: String, label: String, _ parse: (ASN1Node) throws -> Key
) throws(KistError) -> Key {
  do {
    let document = try PEMDocument(pemString: text)
    guard document.discriminator == label else {
      throw KistError(
        .invalid, field: "key", "holds a \(document.discriminator), where a \(label) is needed")
    }
    return try parse(try DER.parse(document.derBytes))
  } catch let error as KistError {
    throw error
  } catch {
    throw KistError(.invalid, field: "key", "not a key in PEM form", advice: "make one with `kist keygen`")
  }
}

private func writeKey(label: String, _ content: (inout DER.Serializer) throws -> Void) -> String {
  var serializer = DER.Serializer()
  do {
    try serializer.appendConstructedNode(identifier: .sequence, content)
  } catch {
    preconditionFailure("a key of fixed form can't be encoded: \(error)")
  }
  return PEMDocument(type: label, derBytes: serializer.serializedBytes).pemString + "\n"
}
