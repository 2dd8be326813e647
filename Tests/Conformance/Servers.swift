import Foundation
import TestSupport

/// A program that serves a folder on loopback as long as this object lives.
final class TestServer {
  let port: Int
  private let process: Process

  static let nginxPath = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx"]
    .first(where: FileManager.default.isExecutableFile)
  static let pythonPath = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
    .first(where: FileManager.default.isExecutableFile)

  struct Request: Equatable {
    var path: String
    var range: String
    var status: Int
    var byteCount: Int
    var connection: Int
  }

  private let requestLog: String

  private init(_ process: Process, port: Int, requestLog: String) {
    self.process = process
    self.port = port
    self.requestLog = requestLog
  }

  deinit {
    // Not SIGTERM: a child of a thread that blocks it would never see it.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func address(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

  /// What the server noted so far, line by line, of the lines that begin with a word.
  func notes(_ word: String = "") throws -> [String] {
    // The last line is written after its body was read.
    Thread.sleep(forTimeInterval: 0.1)
    return try String(contentsOfFile: requestLog, encoding: .utf8).split(separator: "\n").map(String.init)
      .filter { $0.hasPrefix(word) }
  }

  /// Requests that were answered so far.
  func requests() throws -> [Request] {
    try notes("/").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count == 5, let status = Int(fields[2]), let byteCount = Int(fields[3]),
        let connection = Int(fields[4])
      else { return nil }
      return Request(
        path: String(fields[0]), range: String(fields[1]), status: status, byteCount: byteCount, connection: connection)
    }
  }

  /// Tests/Servers/ranges.py.
  static func python(_ folder: TemporaryFolder) throws -> TestServer {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: pythonPath ?? "")
    process.arguments = ["\(repository)/Tests/Servers/ranges.py", folder.path]
    let log = folder.file("requests.log")
    try writeFile([], log)
    process.standardOutput = FileHandle(forWritingAtPath: log)
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<100 {
      Thread.sleep(forTimeInterval: 0.05)
      let text = try String(contentsOfFile: log, encoding: .utf8)
      if text.hasSuffix("\n"), let port = text.split(separator: "\n").first.flatMap({ Int($0) }) {
        return TestServer(process, port: port, requestLog: log)
      }
    }
    kill(process.processIdentifier, SIGKILL)
    throw CocoaError(.fileReadUnknown)
  }

  /// A real nginx, as Debian's nginx-light has it.
  static func nginx(_ folder: TemporaryFolder) throws -> TestServer {
    let port = Int.random(in: 20_000..<32_000)
    let log = folder.file("nginx-requests.log")
    let configuration = """
      daemon off; master_process off; pid \(folder.path)/nginx.pid; error_log \(folder.path)/nginx-error.log;
      events { worker_connections 64; }
      http {
        log_format ranges '$uri $http_range $status $body_bytes_sent $connection';
        access_log \(log) ranges;
        client_body_temp_path \(folder.path)/t1; proxy_temp_path \(folder.path)/t2; fastcgi_temp_path \(folder.path)/t3;
        uwsgi_temp_path \(folder.path)/t4; scgi_temp_path \(folder.path)/t5;
        server { listen 127.0.0.1:\(port); root \(folder.path); location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; } }
      }
      """
    try configuration.write(toFile: folder.file("nginx.conf"), atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: nginxPath ?? "")
    process.arguments = ["-c", folder.file("nginx.conf"), "-p", folder.path]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<100 where !FileManager.default.fileExists(atPath: folder.file("nginx.pid")) {
      Thread.sleep(forTimeInterval: 0.05)
    }
    Thread.sleep(forTimeInterval: 0.1)
    return TestServer(process, port: port, requestLog: log)
  }
}
