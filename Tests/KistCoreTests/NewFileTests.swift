import Foundation
import KistCore
import TestSupport
import Testing

@Suite struct NewFileTests {
  @Test func `a file appears with its whole content when it is committed, and not before`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    let file = try NewFile(target: path)
    try file.output.write([4, 5, 6], at: 3)
    try file.output.write([1, 2, 3], at: 0)
    #expect(!folder.contents.contains("a.kist"))
    try file.commit(replacing: false)
    #expect(try readFile(path) == [1, 2, 3, 4, 5, 6])
    #expect(folder.contents == ["a.kist"])
  }

  @Test func `a file that is given up leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try NewFile(target: folder.file("a.kist"))
      try file.output.write([1], at: 0)
    }
    #expect(folder.contents == [])
  }

  @Test func `a file that came to be meanwhile stays, unless it is to be replaced`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    for replacing in [false, true] {
      let file = try NewFile(target: path)
      try file.output.write([1, 2], at: 0)
      try writeFile([9], path)
      if replacing {
        try file.commit(replacing: true)
      } else {
        #expect { try file.commit(replacing: false) } throws: { ($0 as? KistError)?.kind == .conflict }
      }
      #expect(try readFile(path) == (replacing ? [1, 2] : [9]))
    }
    #expect(folder.contents == ["a.kist"])
  }

  @Test func `a folder in the place of the file is not replaced`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("a"), withIntermediateDirectories: false)
    let file = try NewFile(target: folder.file("a"))
    #expect { try file.commit(replacing: true) } throws: { ($0 as? KistError)?.file == folder.file("a") }
    #expect(folder.contents == ["a"])
  }

  @Test func `a folder that is not there is named`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: KistError(.missing, file: folder.file("b"), "no such file or directory")) {
      try NewFile(target: folder.file("b/a.kist"))
    }
    #expect(throws: KistError(.missing, file: folder.file("b/a"), "no such file or directory")) {
      try NewFolder(target: folder.file("b/a"))
    }
  }

  // Root may write everywhere but there.
  @Test(arguments: ["/proc/kist-test", "/sys/kist-test"])
  func `a folder that can't be written gives one clear error`(path: String) {
    for make in [{ _ = try NewFile(target: path) }, { _ = try NewFolder(target: path) }] as [() throws -> Void] {
      #expect {
        try make()
      } throws: { error in
        let text = "\(error)"
        return text.hasPrefix(path) && !text.contains("\n") && (error as? KistError)?.kind == .system
      }
    }
  }

  @Test func `the folder of a path is what stands before its last slash`() {
    #expect(parentFolder(of: "a") == ".")
    #expect(parentFolder(of: "a/b") == "a")
    #expect(parentFolder(of: "/a") == "/")
    #expect(parentFolder(of: "/a/b/c") == "/a/b")
  }
}

@Suite struct NewFolderTests {
  private func write(_ name: String, _ byte: UInt8, in folder: String) throws {
    let path = folder + "/" + name
    try FileManager.default.createDirectory(atPath: parentFolder(of: path), withIntermediateDirectories: true)
    try writeFile([byte], path)
  }

  @Test(arguments: ["", "/"])
  func `a folder appears with all its files when it is committed, and not before`(slash: String) throws {
    let folder = try TemporaryFolder()
    let new = try NewFolder(target: folder.file("a") + slash)
    try write("x", 1, in: new.path)
    try write("sub/y", 2, in: new.path)
    #expect(!folder.contents.contains("a"))
    try new.commit(replacing: false)
    #expect(folder.contents == ["a"])
    #expect(try tree(folder.file("a")) == ["x": [1], "sub": nil, "sub/y": [2]])
  }

  @Test func `a folder that is given up leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    do {
      let new = try NewFolder(target: folder.file("a"))
      try write("sub/y", 2, in: new.path)
    }
    #expect(folder.contents == [])
  }

  @Test func `an empty folder may be there already`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("a"), withIntermediateDirectories: false)
    let new = try NewFolder(target: folder.file("a"))
    try write("x", 1, in: new.path)
    try new.commit(replacing: false)
    #expect(try tree(folder.path) == ["a": nil, "a/x": [1]])
  }

  @Test func `a folder with files stays as it is`() throws {
    let folder = try TemporaryFolder()
    try write("a/x", 9, in: folder.path)
    do {
      let new = try NewFolder(target: folder.file("a"))
      try write("x", 1, in: new.path)
      #expect { try new.commit(replacing: false) } throws: { ($0 as? KistError)?.kind == .conflict }
    }
    #expect(try tree(folder.path) == ["a": nil, "a/x": [9]])
  }

  @Test func `replacing puts new files over old ones and keeps what else is there`() throws {
    let folder = try TemporaryFolder()
    for name in ["a/x", "a/other", "a/sub/y", "a/sub/z"] { try write(name, 9, in: folder.path) }
    do {
      let new = try NewFolder(target: folder.file("a"))
      for name in ["x", "sub/y", "sub/deep/w", "new/v"] { try write(name, 1, in: new.path) }
      try FileManager.default.createDirectory(atPath: new.path + "/empty", withIntermediateDirectories: false)
      try new.commit(replacing: true)
    }
    #expect(
      try tree(folder.path) == [
        "a": nil, "a/x": [1], "a/other": [9], "a/sub": nil, "a/sub/y": [1], "a/sub/z": [9], "a/sub/deep": nil,
        "a/sub/deep/w": [1], "a/new": nil, "a/new/v": [1], "a/empty": nil,
      ])
  }

  @Test func `a file in the place of the folder stays`() throws {
    let folder = try TemporaryFolder()
    try write("a", 9, in: folder.path)
    do {
      let new = try NewFolder(target: folder.file("a"))
      for replacing in [false, true] {
        #expect { try new.commit(replacing: replacing) } throws: { ($0 as? KistError)?.kind == .conflict }
      }
    }
    #expect(try tree(folder.path) == ["a": [9]])
  }
}
