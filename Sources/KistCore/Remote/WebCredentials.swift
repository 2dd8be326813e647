import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// What this user shows to servers: the token of the Hugging Face hub, and the logins of `.netrc`.
///
/// What a request carries follows from its own address alone, so that nothing goes to where a redirect leads but what is meant for it.
package struct WebCredentials: Sendable {
  /// Where the hub's token is sent: over encryption only.
  static let hub = "huggingface.co"

  private let token: String?
  private let logins: [NetrcLogin]

  /// - Parameter environment: `HF_TOKEN`, else the file that `hf auth login` wrote (`HF_TOKEN_PATH`, `HF_HOME`); `NETRC`, else `~/.netrc`.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    func value(_ name: String) -> String? {
      let value = environment[name]?.trimmingCharacters(in: .whitespacesAndNewlines)
      return value?.isEmpty == true ? nil : value
    }
    let home = value("HOME") ?? ""
    let hubHome = value("HF_HOME") ?? (value("XDG_CACHE_HOME") ?? home + "/.cache") + "/huggingface"
    token = (value("HF_TOKEN") ?? Self.text(value("HF_TOKEN_PATH") ?? hubHome + "/token")).flatMap(Self.headerText)
    logins = NetrcLogin.all(in: Self.text(value("NETRC") ?? home + "/.netrc") ?? "")
  }

  /// Sets the header that goes with the request's address, and takes away any other.
  func sign(_ request: inout URLRequest) {
    request.setValue(request.url.flatMap(authorization), forHTTPHeaderField: "Authorization")
  }

  /// The header for an address; nil when it is nobody's that this user has something for.
  package func authorization(for url: URL) -> String? {
    guard let host = url.host?.lowercased() else { return nil }
    if host == Self.hub, url.scheme?.lowercased() == "https", let token { return "Bearer \(token)" }
    guard let login = logins.first(where: { $0.machine == nil || $0.machine == host }) else { return nil }
    return "Basic \(Data("\(login.name):\(login.password)".utf8).base64EncodedString())"
  }

  /// What to do where a server does not let this user in.
  static func advice(for url: URL?) -> String {
    guard let host = url?.host, host.lowercased() != hub else {
      return "set HF_TOKEN or log in with `hf auth login`, and accept the model's conditions on its page if it has some"
    }
    return "if it asks for a login, put it into ~/.netrc: machine \(host) login NAME password WORD"
  }

  private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  /// A token that can be a part of a header; nil when it is none.
  private static func headerText(_ text: String) -> String? {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return text.isEmpty || text.unicodeScalars.contains { $0.value <= 0x20 || $0.value >= 0x7F } ? nil : text
  }
}

/// One entry of a `.netrc`. Source: GNU inetutils, "The .netrc file".
package struct NetrcLogin: Sendable, Equatable {
  /// Nil for `default`, which goes with every machine.
  package var machine: String?
  package var name: String
  package var password: String

  /// The entries of a file that have a name and a password, in its order.
  package static func all(in text: String) -> [NetrcLogin] {
    var all: [NetrcLogin] = []
    var current: (machine: String?, name: String?, password: String?)?
    func finish() {
      guard let entry = current, let name = entry.name, let password = entry.password else { return }
      all.append(NetrcLogin(machine: entry.machine, name: name, password: password))
    }
    var words = words(of: text)[...]
    while let word = words.popFirst() {
      switch word {
      case "machine":
        finish()
        current = words.popFirst().map { (machine: $0.lowercased(), name: nil, password: nil) }
      case "default":
        finish()
        current = (machine: nil, name: nil, password: nil)
      case "login": current?.name = words.popFirst()
      case "password": current?.password = words.popFirst()
      case "account": _ = words.popFirst()
      // A macro ends with an empty line, which does not show among words: what follows it is left out.
      case "macdef": words = []
      default: break
      }
    }
    finish()
    return all
  }

  /// Words between white space; one in quotation marks may hold some. A line that begins with # is a comment.
  private static func words(of text: String) -> [String] {
    var words: [String] = []
    for line in text.split(whereSeparator: \.isNewline) {
      var rest = line.drop(while: \.isWhitespace)
      if rest.first == "#" { continue }
      while let first = rest.first {
        if first == "\"" {
          let inside = rest.dropFirst().prefix { $0 != "\"" }
          words.append(String(inside))
          rest = rest[inside.endIndex...].dropFirst()
        } else {
          let word = rest.prefix { !$0.isWhitespace }
          words.append(String(word))
          rest = rest[word.endIndex...]
        }
        rest = rest.drop(while: \.isWhitespace)
      }
    }
    return words
  }
}
