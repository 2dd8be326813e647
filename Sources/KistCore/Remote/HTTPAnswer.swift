import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// What a server says of a file when it sends a range of it.
struct HTTPAnswer: Equatable {
  var totalByteCount: Int
  /// For `If-Range`: a strong entity tag, else the date.
  var validator: String?

  init(totalByteCount: Int, validator: String?) {
    self.totalByteCount = totalByteCount
    self.validator = validator
  }

  /// Reads an answer to a request for a range.
  ///
  /// - Parameter expected: What earlier answers said of the file.
  /// - Throws: what is wrong with it, without the address.
  init(_ response: HTTPURLResponse, asked range: Range<Int>, expecting expected: HTTPAnswer?) throws(KistError) {
    let field = { (name: String) in response.value(forHTTPHeaderField: name) }
    guard response.statusCode == 206 else { throw HTTPAnswer.refusal(response, field("ETag"), expected) }
    guard ["", "identity"].contains((field("Content-Encoding") ?? "").lowercased()) else {
      throw KistError(.unsupported, "the server packs what it sends (\(field("Content-Encoding") ?? ""))")
    }
    guard let text = field("Content-Range"), let match = text.wholeMatch(of: #/bytes +([0-9]+)-([0-9]+)/([0-9]+)/#),
      let first = Int(match.1), let last = Int(match.2), let total = Int(match.3), last < Int.max, total < 1 << 62
    else {
      throw KistError(
        .unsupported,
        "the server does not say which bytes it sends (Content-Range: \(field("Content-Range") ?? "none"))"
      )
    }
    guard first == range.lowerBound, last + 1 == min(range.upperBound, total), last >= first else {
      throw KistError(
        .damaged,
        "the server sends bytes \(first) to \(last) of \(total), where \(range.lowerBound) to "
          + "\(range.upperBound - 1) were asked for")
    }
    totalByteCount = total
    let tag = field("ETag").flatMap { $0.hasPrefix("W/") ? nil : $0 }
    validator = tag ?? field("Last-Modified")
    guard let expected, expected != self else { return }
    throw HTTPAnswer.changed
  }

  private static let changed = KistError(
    .damaged, "the file on the server changed while it was being read", advice: "try again")

  private static func refusal(_ response: HTTPURLResponse, _ tag: String?, _ expected: HTTPAnswer?) -> KistError {
    let status = response.statusCode
    switch status {
    case 200 where expected != nil && expected?.validator != nil: return changed
    case 200:
      return KistError(
        .unsupported, "the server sends whole files only: it has no range requests (HTTP 200 where 206 is due)",
        advice: "download the file, or use a server that has them, such as nginx")
    case 300..<400: return KistError(.system, "the server redirects and does not say where to (HTTP \(status))")
    case 401, 403:
      return KistError(
        .system, "the server does not allow it (HTTP \(status))", advice: WebCredentials.advice(for: response.url))
    case 407: return KistError(.system, "the proxy does not allow it (HTTP 407)")
    case 404, 410: return KistError(.missing, "the server has no such file (HTTP \(status))")
    case 416 where expected == nil: return KistError(.damaged, "the file on the server is empty")
    case 416: return KistError(.damaged, "the server has not as many bytes as it said (HTTP 416)")
    default: return KistError(.system, "the server answers HTTP \(status)")
    }
  }
}
