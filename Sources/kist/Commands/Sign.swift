import ArgumentParser
import KistCore
import KistFormat

struct Sign: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sign a container, in place.",
    discussion: """
      The signature (Ed25519) is of the package digest, which covers every tensor, file and key-value. Any later edit \
      drops it. A file may carry signatures by several keys.

      EXAMPLES
        kist sign minilm.kist --key publisher.key
        kist verify minilm.kist --key publisher.key.pub
      """)

  @Argument(help: "A .kist file.", completion: .file())
  var file: String

  @Option(
    help: ArgumentHelp("The private key, as PEM: what `kist keygen` or openssl writes.", valueName: "key"),
    completion: .file())
  var key: String

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let signingKey: SigningKey
    let text = try readText(key)
    do throws(KistError) { signingKey = try SigningKey(pem: text) } catch { throw error.inFile(key) }
    try KistEditor.sign(path: file, key: signingKey)
    let digest = try KistFile(path: file).packageDigest
    let fingerprint = signingKey.verifyingKey.fingerprint
    if global.json {
      try Output.json(["path": file, "fingerprint": fingerprint, "package_digest": digest.hexadecimal])
    } else {
      Output.line("\(file.escapedForTerminal): signed by \(fingerprint): package digest \(digest)")
    }
  }
}
