import Foundation
import KistCore

/// An argument that is a text, or `-` for standard input.
func readArgument(_ argument: String) throws(KistError) -> String {
  guard argument == "-" else { return argument }
  return String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
}

/// The text of a small file, such as a key.
func readText(_ path: String) throws(KistError) -> String {
  let file = try MappedFile(path: path)
  guard file.count <= 1 << 16 else {
    throw KistError(.invalid, file: path, "\(file.count) bytes is too much for a key")
  }
  return unsafe file.bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
}

/// The text of a file of any size, or of standard input for `-`.
func readWholeText(_ path: String) throws(KistError) -> String {
  guard path != "-" else { return try readArgument("-") }
  let file = try MappedFile(path: path)
  let text = unsafe file.bytes.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
  guard let text else { throw KistError(.invalid, file: path, "is not valid UTF-8 text") }
  return text
}
