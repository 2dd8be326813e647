import Foundation
import KistCore

/// A program by others that is run to its end.
struct ChildProgram {
  /// A path, or a name to look for in `PATH`.
  var name: String
  /// What it finds in its environment besides ours.
  var environment: [String: String] = [:]

  struct Outcome {
    /// 126 and 127, as of a shell, when it can't be run.
    var status: Int32
    var output: String
    var complaint: String

    /// The last line that it complained with.
    var lastComplaint: String {
      String(complaint.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) } ?? "it gave no reason")
    }
  }

  /// The first of a name in `PATH`; nil when there is none.
  static func path(of name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.lazy.map { "\($0)/\(name)" }.first(where: FileManager.default.isExecutableFile)
  }

  func run(_ arguments: [String]) throws(KistError) -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw KistError(.system, file: name, "can't be run: \(error.localizedDescription)")
    }
    // Both are read at once: either can fill its pipe.
    let reader = PipeReader(errors)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaint = reader.text()
    process.waitUntilExit()
    // Of a program that a signal ended, the signal: never 0.
    return Outcome(status: process.terminationStatus, output: text, complaint: complaint)
  }
}

/// Reads a pipe to its end beside other work.
private final class PipeReader: @unchecked Sendable {
  private let thread: DispatchGroup
  private var data = Data()

  init(_ pipe: Pipe) {
    thread = DispatchGroup()
    DispatchQueue.global().async(group: thread) { self.data = pipe.fileHandleForReading.readDataToEndOfFile() }
  }

  func text() -> String {
    thread.wait()
    return String(decoding: data, as: UTF8.self)
  }
}
