import Foundation
import KistCore

/// Seconds of the best of several runs.
func best(of runs: Int, _ body: () throws -> Void) rethrows -> Double {
  var best = Double.infinity
  for _ in 0..<runs {
    let time = try ContinuousClock().measure(body)
    best = min(best, time.seconds)
  }
  return best
}

/// Seconds that this process has had a processor.
func processorSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// One line of a table of results.
func row(_ what: String, _ figures: String...) {
  print("  " + what.padding(toLength: 46, withPad: " ", startingAt: 0) + figures.map { $0.leftPadded(16) }.joined())
}

extension String {
  fileprivate func leftPadded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}

func gigabytesPerSecond(_ byteCount: Int, _ seconds: Double) -> String {
  String(format: "%.2f GB/s", Double(byteCount) / seconds / 1e9)
}

func milliseconds(_ seconds: Double) -> String { String(format: "%.3f ms", seconds * 1e3) }

func ratio(_ value: Double) -> String { String(format: "%.4f", value) }

func times(_ value: Double) -> String { String(format: "%.1f×", value) }

/// A folder for the run, removed afterwards.
func withTemporaryFolder(in parent: String, _ body: (String) throws -> Void) throws {
  let path = parent + "/kist-bench-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}

/// Runs a peer's script and reads the one JSON object that it prints; nil, with a line that says so, when the peer is not there.
func runPeer(_ script: String, _ arguments: [String], _ options: BenchOptions) -> [String: Double]? {
  output(ofScript: script, arguments, options).flatMap { try? JSONDecoder().decode([String: Double].self, from: $0) }
}

/// Runs a script for what it does; false, with a line that says so, when it can't be run.
func runScript(_ script: String, _ arguments: [String], _ options: BenchOptions) -> Bool {
  output(ofScript: script, arguments, options) != nil
}

private func output(ofScript script: String, _ arguments: [String], _ options: BenchOptions) -> Data? {
  guard FileManager.default.isExecutableFile(atPath: options.python) else {
    print("  (no \(options.python): peers are not measured; `make bench` installs them)")
    return nil
  }
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Peers")
  do {
    return try outputOfChild(options.python, [folder.appendingPathComponent(script).path] + arguments)
  } catch {
    print("  (\(script) failed: is the peer installed in \(options.python)?)")
    return nil
  }
}

/// What a child process prints.
func outputOfChild(_ command: String, _ arguments: [String]) throws -> Data {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: command)
  process.arguments = arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw KistError(.system, file: command, "ended with status \(process.terminationStatus)")
  }
  return data
}

/// Wall-clock seconds and peak resident bytes of a child process, whose output is dropped.
///
/// Linux hands the peak of the process that starts another on to it: no less than this process' own is told.
func runChild(_ command: String, _ arguments: [String]) throws -> (seconds: Double, peakByteCount: Int) {
  var process: pid_t = 0
  let executable = "/bin/sh"
  let silenced = [executable, "-c", "exec \"$0\" \"$@\" >/dev/null", command] + arguments
  var pointers = unsafe silenced.map { unsafe strdup($0) } + [nil]
  defer { unsafe pointers.forEach { unsafe free($0) } }
  var usage = rusage()
  var status: Int32 = 0
  let time = try ContinuousClock().measure {
    guard unsafe posix_spawn(&process, executable, nil, nil, &pointers, environ) == 0 else {
      throw KistError.fromErrno(file: executable)
    }
    unsafe wait4(process, &status, 0, &usage)
  }
  guard status == 0 else { throw KistError(.system, file: command, "ended with status \(status)") }
  return (time.seconds, usage.ru_maxrss * 1024)
}

/// The command, which is built beside this one.
var kistCommand: String { URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/kist" }
