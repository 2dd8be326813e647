import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A file on a server, read by range requests (RFC 9110, section 14) over connections that are used again.
final class HTTPFile: Sendable {
  /// Takes bytes in, and where they belong in the file.
  typealias Sink = @Sendable ([UInt8], Int) throws(KistError) -> Void

  /// As it was given.
  let address: String
  let byteCount: Int
  private let url: URL
  private let connection: Connection
  /// What tells that the file is the same: its entity tag, else its date. Nil when the server gives none.
  private let validator: String?
  /// Where redirects led.
  private let place: Mutex<URL>

  /// Requests at a time that a server is not likely to mind.
  static let connectionCount = 4
  private static let attemptCount = 4
  private static let progressByteCount = 64 << 10
  private static let firstPause = 0.25
  private static let idleSeconds = 30.0

  /// - Parameter start: The range to begin with; the sink gets what of it the file has.
  init(address: String, start: Range<Int>, _ sink: @escaping Sink) throws(KistError) {
    self.address = address
    url = try HTTPFile.url(of: address)
    let credentials = WebCredentials()
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = HTTPFile.idleSeconds
    configuration.urlCache = nil
    configuration.httpCookieStorage = nil
    configuration.urlCredentialStorage = nil
    // Those that fetch ahead, and those that are asked for at once.
    configuration.httpMaximumConnectionsPerHost = HTTPFile.connectionCount + 2
    connection = Connection(
      transfers: HTTPTransfers(configuration, credentials), credentials: credentials, address: address)

    let opened: (answer: HTTPAnswer, place: URL)
    do throws(KistError) {
      opened = try connection.get(start, from: [url], expecting: nil, sink)
    } catch {
      connection.transfers.close()
      throw error
    }
    byteCount = opened.answer.totalByteCount
    validator = opened.answer.validator
    place = Mutex(opened.place)
  }

  deinit { close() }

  /// Ends all requests; no other can be made.
  func close() { connection.transfers.close() }

  private static func url(of address: String) throws(KistError) -> URL {
    guard let url = URL(string: address), url.host != nil else {
      throw KistError(.invalid, file: address, "is no address on the web")
    }
    // Named without what stands before the @: it would show in messages and in the list of processes.
    guard url.user == nil, url.password == nil else {
      throw KistError(
        .invalid, file: url.host, "a login does not belong in an address",
        advice: "put it into ~/.netrc: machine \(url.host ?? "host") login NAME password WORD")
    }
    return url
  }

  /// Fetches a range of the file, trying again where that may help.
  func read(_ range: Range<Int>, _ sink: @escaping Sink) throws(KistError) {
    let known = place.withLock { $0 }
    let expected = HTTPAnswer(totalByteCount: byteCount, validator: validator)
    // A place that redirects led to may be good for a while only.
    let answer = try connection.get(range, from: known == url ? [url] : [known, url], expecting: expected, sink)
    place.withLock { $0 = answer.place }
  }

  /// Sends requests, one after the other, until a range is whole.
  private struct Connection {
    var transfers: HTTPTransfers
    var credentials: WebCredentials
    var address: String

    func get(
      _ range: Range<Int>, from places: [URL], expecting expected: HTTPAnswer?, _ sink: @escaping Sink
    ) throws(KistError) -> (answer: HTTPAnswer, place: URL) {
      var (places, expected) = (places[...], expected)
      var (start, failures) = (range.lowerBound, 0)
      while true {
        let rest = start..<range.upperBound
        let transfer = HTTPTransfer(rest, expecting: expected, address: address, sink)
        transfers.run(transfer, request(places[places.startIndex], rest, expected?.validator))
        start += transfer.receivedByteCount
        expected = expected ?? transfer.answer
        switch transfer.result {
        case .done(let answer, let place): return (answer, place)
        case .failed where transfer.isGone && places.count > 1: places.removeFirst()
        case .failed(let error): throw error
        case .interrupted(let problem):
          // The next request asks for the rest; that much came is a new beginning.
          failures = transfer.receivedByteCount >= HTTPFile.progressByteCount ? 1 : failures + 1
          guard failures < HTTPFile.attemptCount else {
            throw KistError(
              .system, file: address, "\(problem), \(failures) times in a row",
              advice: "check the connection, and try again")
          }
          guard !transfers.isClosed else { throw .interrupted }
          Thread.sleep(forTimeInterval: HTTPFile.firstPause * Double(1 << failures))
        }
      }
    }

    private func request(_ place: URL, _ range: Range<Int>, _ validator: String?) -> URLRequest {
      var request = URLRequest(url: place, cachePolicy: .reloadIgnoringLocalCacheData)
      request.setValue("bytes=\(range.lowerBound)-\(range.upperBound - 1)", forHTTPHeaderField: "Range")
      // The bytes of a range are those of the file as it is stored.
      request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
      request.setValue(KistVersion.name.replacing(" ", with: "/"), forHTTPHeaderField: "User-Agent")
      if let validator { request.setValue(validator, forHTTPHeaderField: "If-Range") }
      credentials.sign(&request)
      return request
    }
  }
}
