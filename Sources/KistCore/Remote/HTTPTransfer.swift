import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One request for a range, and what comes of it. One thread at a time: first the one that asks, then the session's, then the first again.
final class HTTPTransfer: @unchecked Sendable {
  enum Result {
    case done(HTTPAnswer, URL)
    /// Trying again may help.
    case interrupted(String)
    case failed(KistError)
  }

  private(set) var receivedByteCount = 0
  private(set) var result = Result.interrupted("the server does not answer")
  /// Whether the server says that there is nothing at this place, or not for us.
  private(set) var isGone = false

  private var wanted: Range<Int>
  private let expected: HTTPAnswer?
  private let address: String
  private let sink: HTTPFile.Sink
  private(set) var answer: HTTPAnswer?
  private var problem: Result?
  private var redirectCount = 0
  private let end = DispatchSemaphore(value: 0)

  private static let maximumRedirectCount = 5

  init(_ range: Range<Int>, expecting expected: HTTPAnswer?, address: String, _ sink: @escaping HTTPFile.Sink) {
    wanted = range
    self.expected = expected
    self.address = address
    self.sink = sink
  }

  private func fail(_ error: KistError) { problem = problem ?? .failed(error.inFile(address)) }

  /// - Returns: whether to go where the server says.
  func follows(_ from: URL?, to: URL?) -> Bool {
    redirectCount += 1
    if redirectCount > HTTPTransfer.maximumRedirectCount {
      fail(KistError(.system, "redirects more than \(HTTPTransfer.maximumRedirectCount) times, in a circle perhaps"))
    } else if from?.scheme == "https", to?.scheme != "https" {
      fail(KistError(.system, "redirects from https to an address without encryption"))
    }
    return problem == nil
  }

  /// - Returns: whether the body is wanted.
  func takes(_ response: URLResponse) -> Bool {
    guard problem == nil, let response = response as? HTTPURLResponse else { return false }
    let status = response.statusCode
    if status == 429 || status >= 500 {
      problem = .interrupted("the server answers HTTP \(status)")
      return false
    }
    isGone = [401, 403, 404, 410].contains(status)
    do throws(KistError) {
      let answer = try HTTPAnswer(response, asked: wanted, expecting: expected)
      wanted = wanted.lowerBound..<min(wanted.upperBound, answer.totalByteCount)
      self.answer = answer
      return true
    } catch {
      fail(error)
      return false
    }
  }

  /// - Returns: whether to go on.
  func take(_ data: Data) -> Bool {
    guard problem == nil, answer != nil else { return false }
    guard receivedByteCount + data.count <= wanted.count else {
      fail(KistError(.damaged, "the server sends more bytes than it was asked for"))
      return false
    }
    do throws(KistError) {
      try sink([UInt8](data), wanted.lowerBound + receivedByteCount)
      receivedByteCount += data.count
      return true
    } catch {
      fail(error)
      return false
    }
  }

  func finish(_ response: URLResponse?, at place: URL?, _ error: (any Error)?) {
    // A redirect that leads nowhere is not handed on as an answer.
    if error == nil, answer == nil, let response { _ = takes(response) }
    if let problem {
      result = problem
    } else if let answer, receivedByteCount == wanted.count, let place {
      result = .done(answer, place)
    } else if let error = error as? URLError, HTTPTransfer.isFinal(error) {
      result = .failed(KistError(.system, file: address, HTTPTransfer.words(error)))
    } else if answer != nil {
      result = .interrupted("the connection ended after \(receivedByteCount) of \(wanted.count) bytes")
    } else if let error {
      result = .interrupted(HTTPTransfer.words(error))
    }
    end.signal()
  }

  /// Waits for ``finish(_:at:_:)``.
  func wait() { end.wait() }

  /// Whether the same will happen again.
  private static func isFinal(_ error: URLError) -> Bool {
    switch error.code {
    case .cannotFindHost, .unsupportedURL, .badURL, .secureConnectionFailed, .serverCertificateUntrusted,
      .serverCertificateHasBadDate, .serverCertificateNotYetValid, .serverCertificateHasUnknownRoot:
      true
    // FoundationNetworking hands on libcurl's words.
    default: error.localizedDescription.lowercased().contains("certificate")
    }
  }

  private static func words(_ error: any Error) -> String {
    switch (error as? URLError)?.code {
    case .cannotFindHost: "there is no such server"
    case .cannotConnectToHost: "the server can't be reached"
    case .timedOut: "the server does not answer in time"
    case .networkConnectionLost: "the connection was lost"
    case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
      .serverCertificateNotYetValid, .serverCertificateHasUnknownRoot:
      "the server's certificate is not one to trust"
    default: error.localizedDescription.lowercased()
    }
  }
}

/// A session, which hands what comes to the transfers that run.
final class HTTPTransfers: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  private let credentials: WebCredentials
  /// Set once, before there are others who use it: a session wants its delegate first.
  private var session: URLSession?
  private let state = Mutex(State())

  private struct State {
    /// By the numbers of their tasks.
    var running: [Int: HTTPTransfer] = [:]
    var isClosed = false
  }

  init(_ configuration: URLSessionConfiguration, _ credentials: WebCredentials) {
    self.credentials = credentials
    super.init()
    session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Ends the transfers that run, and lets go of the session.
  func close() {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    if isFirst { session?.invalidateAndCancel() }
  }

  /// Runs a transfer to its end, beside others.
  func run(_ transfer: HTTPTransfer, _ request: URLRequest) {
    let task = state.withLock { state -> URLSessionDataTask? in
      // A session that was let go of takes no more.
      guard !state.isClosed, let task = session?.dataTask(with: request) else { return nil }
      state.running[task.taskIdentifier] = transfer
      return task
    }
    guard let task else { return }
    task.resume()
    transfer.wait()
    _ = state.withLock { $0.running.removeValue(forKey: task.taskIdentifier) }
  }

  private func transfer(of task: URLSessionTask) -> HTTPTransfer? {
    state.withLock { $0.running[task.taskIdentifier] }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) {
    guard transfer(of: task)?.follows(response.url, to: request.url) == true else { return completionHandler(nil) }
    // The range is asked for there too; what this user shows there is another matter.
    var next = task.originalRequest ?? request
    next.url = request.url
    credentials.sign(&next)
    completionHandler(next)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    completionHandler(transfer(of: dataTask)?.takes(response) == true ? .allow : .cancel)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    if transfer(of: dataTask)?.take(data) != true { dataTask.cancel() }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    transfer(of: task)?.finish(task.response, at: task.response?.url ?? task.currentRequest?.url, error)
  }
}
