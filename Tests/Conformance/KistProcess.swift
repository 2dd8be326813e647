import Foundation
import TestSupport
import Testing

/// The command that was built with the tests, run once.
struct KistProcess {
  var status: Int32
  var output: String
  var errors: String

  func json() throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
  }

  /// The folder that has test bundle and command.
  static let products: URL = {
    let test = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let candidates = [test, test.deletingLastPathComponent()]
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("kist").path) }
      ?? test
  }()

  /// - Parameter environment: What the command finds in it besides this process's own.
  static func run(
    _ arguments: [String], input: String? = nil, in folder: TemporaryFolder? = nil,
    environment: [String: String] = [:]
  ) throws -> KistProcess {
    let process = Process()
    process.executableURL = products.appendingPathComponent("kist")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder.path) }
    let (output, errors, source) = (Pipe(), Pipe(), Pipe())
    (process.standardOutput, process.standardError, process.standardInput) = (output, errors, source)
    try process.run()
    source.fileHandleForWriting.write(Data((input ?? "").utf8))
    try source.fileHandleForWriting.close()
    // Standard error is short; standard output can fill its pipe.
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    let errorData = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return KistProcess(
      status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
      errors: String(decoding: errorData, as: UTF8.self))
  }
}

@discardableResult
func kist(_ arguments: String..., input: String? = nil, in folder: TemporaryFolder? = nil) throws -> KistProcess {
  try KistProcess.run(arguments, input: input, in: folder)
}
