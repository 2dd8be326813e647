import KistCore

/// A model's config.json, or the part of it that describes the text model of several.
public struct ModelConfig: ParameterSource, Sendable {
  private let root: JSONValue
  /// The path to name in errors.
  public let file: String

  /// - Throws: `damaged` when the bytes are not a JSON object.
  public init(_ bytes: [UInt8], file: String) throws(KistError) {
    self.file = file
    do throws(KistError) {
      let root = try unsafe JSONDocument(bytes.span.bytes).root
      guard root.members != nil else { throw KistError(.damaged, "not a JSON object") }
      self.root = root
    } catch {
      throw error.inFile(file)
    }
  }

  /// The part below a key, which describes a model of its own; nil when it is no object.
  func inside(_ key: String) -> ModelConfig? {
    guard let part = json(key), part.members != nil else { return nil }
    return ModelConfig(part, file: file + ": " + key)
  }

  private init(_ root: JSONValue, file: String) {
    self.root = root
    self.file = file
  }

  /// The value at a path of keys; nil when it is not there or null.
  func json(_ path: String) -> JSONValue? {
    var value: JSONValue? = root
    for key in path.split(separator: ".") { value = value?[String(key)] }
    guard let value, !value.isNull else { return nil }
    return value
  }

  /// - Throws: `unsupported` when the value is an object.
  public func value(_ path: String) throws(KistError) -> ParameterValue? {
    guard let json = json(path) else { return nil }
    guard let value = ParameterValue(json) else {
      throw KistError(.unsupported, file: file, field: path, "is not a number, word, flag or list")
    }
    return value
  }

  public func isNull(_ path: String) -> Bool {
    var value: JSONValue? = root
    for key in path.split(separator: ".") { value = value?[String(key)] }
    return value?.isNull ?? false
  }

  /// What `architectures` names, then what `model_type` says.
  var classNames: [String] { json("architectures")?.array?.compactMap(\.string) ?? [] }
  var modelType: String? { json("model_type")?.string }

  /// The keys of the top level that say something.
  var keys: [String] { root.members?.filter { !$0.value.isNull }.map(\.key) ?? [] }

  /// The keys one level below a key that say something; nil when it is no object.
  func keys(below key: String) -> [String]? { json(key)?.members?.filter { !$0.value.isNull }.map(\.key) }
}

extension ParameterValue {
  init?(_ json: JSONValue) {
    if let flag = json.bool {
      self = .flag(flag)
    } else if let integer = json.int {
      self = .integer(integer)
    } else if let number = json.double {
      self = .number(number)
    } else if let text = json.string {
      self = .text(text)
    } else if let array = json.array {
      var values: [ParameterValue] = []
      for element in array {
        guard let value = ParameterValue(element) else { return nil }
        values.append(value)
      }
      self = .list(values)
    } else {
      return nil
    }
  }
}
