import KistCore

/// A GGUF file as a place where parameters are said: by its metadata, and by which tensors it has.
public struct GGUFSource: ParameterSource {
  /// The value of a whole key.
  var metadata: (String) throws(KistError) -> ParameterValue?
  /// The shape of a tensor, slowest dimension first; nil when there is none of that name.
  var shape: (String) -> [Int]?
  /// The numbers of a tensor; asked for small ones only.
  var values: (String) throws(KistError) -> [Float]
  /// `general.architecture`.
  public let architecture: String

  /// - Throws: `unsupported` when no architecture is named.
  public init(
    file: String, metadata: @escaping (String) throws(KistError) -> ParameterValue?,
    shape: @escaping (String) -> [Int]?, values: @escaping (String) throws(KistError) -> [Float]
  ) throws(KistError) {
    self.metadata = metadata
    self.shape = shape
    self.values = values
    guard let name = try metadata("general.architecture")?.text else {
      throw KistError(.unsupported, file: file, field: "general.architecture", "is missing")
    }
    architecture = name
  }

  // Keys that a tensor answers rather than the metadata.
  static func rows(_ tensor: String) -> String { "rows of " + tensor }
  static func values(_ tensor: String) -> String { "values of " + tensor }
  static func has(_ tensor: String) -> String { "presence of " + tensor }
  static func lacks(_ tensor: String) -> String { "absence of " + tensor }

  /// No file has more factors of frequencies.
  private static let mostValues = 1 << 16

  public func value(_ key: String) throws(KistError) -> ParameterValue? {
    for (question, answer) in GGUFSource.questions where key.hasPrefix(question) {
      let tensor = String(key.dropFirst(question.count))
      switch answer {
      case .rows: return shape(tensor)?.first.map { .integer($0) }
      case .presence: return .flag(shape(tensor) != nil)
      case .absence: return .flag(shape(tensor) == nil)
      case .values:
        guard let shape = shape(tensor) else { return nil }
        guard shape.count == 1, shape[0] <= GGUFSource.mostValues else {
          throw KistError(.damaged, field: tensor, "has a shape that no list of factors has: \(shape)")
        }
        return .list(try values(tensor).map { .number(Double($0)) })
      }
    }
    return try metadata("\(architecture).\(key)")
  }

  public func isNull(_ key: String) -> Bool { false }

  private enum Answer { case rows, values, presence, absence }

  private static let questions: [(String, Answer)] = [
    (rows(""), .rows), (values(""), .values), (has(""), .presence), (lacks(""), .absence),
  ]
}

extension Architecture {
  /// The family that a GGUF file names, with its GGUF names and keys.
  ///
  /// - Throws: `unsupported` when this version does not know it.
  public static func named(by source: GGUFSource, file: String) throws(KistError) -> Architecture {
    let known = all.filter { $0.gguf?.name == source.architecture }
    for family in known {
      guard let mark = family.gguf?.mark else { continue }
      let isIt =
        switch mark {
        case .has(let key): try source.value(key) != nil
        case .value(let key, let value): try source.value(key) == value
        }
      if isIt, let family = family.inGGUF { return family }
    }
    if let family = known.first(where: { $0.gguf?.mark == nil })?.inGGUF { return family }
    throw KistError(
      .unsupported, file: file, field: "general.architecture",
      "'\(source.architecture)' is no architecture that this version computes",
      advice: "packing, inspecting and exporting work all the same")
  }
}

extension ModelDescription {
  /// What a GGUF file describes.
  ///
  /// - Throws: `unsupported` or `damaged`, naming the key.
  public init(_ source: GGUFSource, file: String) throws(KistError) {
    let architecture = try Architecture.named(by: source, file: file)
    try self.init(architecture, Parameters(architecture, source, file: file))
  }
}
