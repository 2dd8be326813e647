/// What went wrong with a file or a request, as one sentence for a person.
///
/// Every layer throws this type: it names the file, the field or tensor, the place in the file, and what to do.
public struct KistError: Error, Sendable, Equatable {
  /// What kind of thing went wrong; the command's exit status follows from it.
  public enum Kind: Sendable, Equatable {
    /// The file or an item in it does not exist.
    case missing
    /// The system refused: permission, disk full, input/output error.
    case system
    /// The bytes contradict their format or their checksums.
    case damaged
    /// Well formed, but something that this version of Kist does not know or do.
    case unsupported
    /// The request itself makes no sense.
    case invalid
    /// The target exists already, or another process is writing it.
    case conflict
    /// The user stopped it.
    case interrupted
  }

  public var kind: Kind
  /// Path of the file, as the user gave it.
  public var file: String?
  /// The field of the format, or the tensor, that is wrong.
  public var field: String?
  /// Byte offset in the file.
  public var offset: Int?
  /// What is wrong, without a full stop.
  public var problem: String
  /// What to do about it, without a full stop.
  public var advice: String?

  public init(
    _ kind: Kind, file: String? = nil, field: String? = nil, offset: Int? = nil, _ problem: String,
    advice: String? = nil
  ) {
    self.kind = kind
    self.file = file
    self.field = field
    self.offset = offset
    self.problem = problem
    self.advice = advice
  }

  /// The same error, naming `file` unless it names one already.
  package func inFile(_ file: String) -> KistError {
    var error = self
    error.file = self.file ?? file
    return error
  }

  package static let interrupted = KistError(.interrupted, "interrupted")
}

extension KistError: CustomStringConvertible {
  public var description: String {
    var text = ""
    if let file { text += "\(file.escapedForTerminal): " }
    if let field { text += "\(field.escapedForTerminal): " }
    text += problem.escapedForTerminal
    if let offset { text += " (at byte \(offset))" }
    if let advice { text += "; \(advice.escapedForTerminal)" }
    return text
  }
}

extension String {
  /// The text with control characters written as escapes: names from a file must not steer a terminal.
  package var escapedForTerminal: String {
    guard unicodeScalars.contains(where: \.steersTerminal) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      if scalar.steersTerminal {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension Unicode.Scalar {
  /// Control characters, separators of lines, and the marks that turn the direction of text around.
  fileprivate var steersTerminal: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
