import Foundation
import KistCheckpoints
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

/// A row of a table of hostile files.
struct HostileCase: CustomTestStringConvertible {
  var file: String
  var stage: String
  /// Words that the error must have.
  var words: [String]
  var testDescription: String { file }
  var name: String { String(file.split(separator: "/").last ?? "") }

  /// Reads a manifest; columns are found by their names in its first line.
  static func table(_ folder: String) -> [HostileCase] {
    let path = "\(repository)/Fixtures/\(folder)"
    let text = (try? String(contentsOfFile: path + "/manifest.tsv", encoding: .utf8)) ?? ""
    let rows = text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    guard let header = rows.first else { return [] }
    func column(_ row: [String], _ name: String) -> String {
      guard let index = header.firstIndex(of: name), index < row.count else { return "" }
      return row[index]
    }
    return rows.dropFirst().map { row in
      HostileCase(
        file: path + "/" + column(row, "file"), stage: column(row, "stage"),
        words: column(row, "words").split(separator: " ").map(String.init))
    }
  }
}

/// Files made by Fixtures/make, each wrong in one thing: each gets one error that names the file and that thing.
@Suite struct HostileFixtureTests {
  @Test(arguments: HostileCase.table("hostile/kist"))
  func `a container that is wrong in one field is refused, naming it`(hostile: HostileCase) throws {
    let found = try firstProblem(of: hostile)
    let problem = try #require(found, "\(hostile.file) was taken for sound")
    #expect(allowedStages(hostile).contains(problem.stage), "\(problem)")
    for word in hostile.words {
      #expect(problem.text.lowercased().contains(word.lowercased()), "\(problem.text) does not say \(word)")
    }
  }

  /// Copying content out checks its XXH3, so what only a zero-copy reader has to leave to `verify` shows earlier; and chunks blocks
  /// are checked when they are first used.
  private func allowedStages(_ hostile: HostileCase) -> [String] {
    if hostile.stage == "verify" { return ["read", "verify"] }
    return hostile.name.contains("chunks") ? ["open", "read"] : [hostile.stage]
  }

  private struct Problem {
    var stage: String
    var text: String
  }

  /// Opens, reads and verifies, in this order, until something is wrong.
  private func firstProblem(of hostile: HostileCase) throws -> Problem? {
    let file: KistFile
    do { file = try KistFile(path: hostile.file) } catch {
      #expect((error as KistError).file == hostile.file)
      return Problem(stage: "open", text: "\(error)")
    }
    for entry in file.entries {
      do { _ = try file.bytes(of: entry) } catch {
        #expect((error as KistError).file == hostile.file)
        return Problem(stage: "read", text: "\(error)")
      }
    }
    return try file.verify(.full).problems.first.map {
      Problem(stage: "verify", text: "\($0.entry ?? "") \($0.problem)")
    }
  }

  @Test(arguments: HostileCase.table("odd"))
  func `an unusual container that breaks no rule is read`(odd: HostileCase) throws {
    let file = try KistFile(path: odd.file)
    for entry in file.entries { _ = try file.bytes(of: entry) }
    #expect(try file.verify(.full).problems == [])
  }

  @Test(arguments: HostileCase.table("hostile/safetensors"))
  func `a safetensors file that is wrong in one thing is refused, naming it`(hostile: HostileCase) {
    #expect {
      try Checkpoint.open(path: hostile.file)
    } throws: { error in
      guard let error = error as? KistError, error.file == hostile.file else { return false }
      let text = "\(error)".lowercased()
      return hostile.words.allSatisfy { text.contains($0.lowercased()) }
    }
  }

  @Test(arguments: HostileCase.table("hostile/gguf"))
  func `a GGUF that is wrong in one thing is refused, naming it`(hostile: HostileCase) {
    #expect {
      try Checkpoint.open(path: hostile.file)
    } throws: { error in
      guard let error = error as? KistError, error.file == hostile.file else { return false }
      let text = "\(error)".lowercased()
      return hostile.words.allSatisfy { text.contains($0.lowercased()) }
    }
  }

  @Test(arguments: HostileCase.table("hostile/pickle") + HostileCase.table("hostile/zip"))
  func `an archive that is wrong in one thing, or would run something, is refused, naming it`(hostile: HostileCase) {
    #expect {
      for tensor in try Checkpoint.open(path: hostile.file).tensors {
        try unsafe tensor.source.withBytes(0..<min(tensor.byteCount, 1 << 20)) { _ in }
      }
    } throws: { error in
      guard let error = error as? KistError, error.file == hostile.file else { return false }
      let text = "\(error)".lowercased()
      return hostile.words.allSatisfy { text.contains($0.lowercased()) }
    }
    #expect(!FileManager.default.fileExists(atPath: "/tmp/kist-was-here"))
  }

  @Test func `the tables are there`() {
    #expect(HostileCase.table("hostile/pickle").count > 80)
    #expect(HostileCase.table("hostile/zip").count > 50)
    #expect(HostileCase.table("hostile/gguf").count > 100)
    #expect(HostileCase.table("hostile/kist").count > 100)
    #expect(HostileCase.table("hostile/safetensors").count > 50)
    #expect(HostileCase.table("odd").count > 10)
  }
}
