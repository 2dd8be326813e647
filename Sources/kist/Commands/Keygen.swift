import ArgumentParser
import Foundation
import KistCore
import KistFormat

struct Keygen: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a pair of keys for signing.",
    discussion: """
      Writes an Ed25519 private key as PEM (PKCS #8), readable by its owner alone, and the public key beside it with \
      the suffix .pub. openssl reads both. Existing files are never replaced, not even with --force: a lost key can't \
      be made again.

      EXAMPLES
        kist keygen -o publisher.key
        kist sign minilm.kist --key publisher.key
        kist verify minilm.kist --key publisher.key.pub
      """)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where to write the private key; KEY.pub is the public one.", valueName: "key"),
    completion: .file())
  var output: String

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let key = SigningKey()
    let publicPath = output + ".pub"
    for path in [output, publicPath] {
      do throws(KistError) { try requireAbsent(path) } catch {
        throw KistError(error.kind, file: path, error.problem, advice: "choose another name: keys are never replaced")
      }
    }
    try writeNew(output, key.pem, mode: 0o600)
    try writeNew(publicPath, key.verifyingKey.pem, mode: 0o644)
    if global.json {
      try Output.json(Keys(privateKey: output, publicKey: publicPath, fingerprint: key.verifyingKey.fingerprint))
    } else {
      Output.line("\(output.escapedForTerminal): private key; keep it to yourself")
      Output.line("\(publicPath.escapedForTerminal): public key \(key.verifyingKey.fingerprint)")
    }
  }

  /// Writes a file that must not exist, with its mode from the start.
  private func writeNew(_ path: String, _ text: String, mode: mode_t) throws(KistError) {
    let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .fromErrno(file: path) }
    defer { close(descriptor) }
    let output = DescriptorOutput(descriptor: descriptor, path: path)
    try output.write(Array(text.utf8), at: 0)
    try output.sync()
  }

  private struct Keys: Encodable {
    var privateKey: String
    var publicKey: String
    var fingerprint: String

    enum CodingKeys: String, CodingKey {
      case fingerprint
      case privateKey = "private_key"
      case publicKey = "public_key"
    }
  }
}
