import KistCore

/// The parameters of one model, each with its value.
public struct Parameters: Sendable {
  public private(set) var values: [Parameter: ParameterValue]
  /// The configuration to name in errors.
  public let file: String
  /// For each parameter, the key that says it.
  private var keys: [Parameter: String]

  /// Reads what an architecture's rules ask for.
  ///
  /// - Throws: `unsupported` when a required key is missing or a requirement is not met.
  public init(_ architecture: Architecture, _ config: ModelConfig) throws(KistError) {
    values = [:]
    keys = [:]
    file = config.file
    for requirement in architecture.requirements { try Parameters.check(requirement, config) }
    for rule in architecture.parameters {
      keys[rule.parameter] = rule.keys.first
      for key in rule.keys {
        guard let value = try config.value(key) else { continue }
        values[rule.parameter] = value
        keys[rule.parameter] = key
        break
      }
      if values[rule.parameter] == nil { values[rule.parameter] = try value(of: rule) }
    }
  }

  private static func check(_ requirement: Requirement, _ config: ModelConfig) throws(KistError) {
    guard let value = try config.value(requirement.key), !requirement.values.contains(value) else { return }
    throw KistError(
      .unsupported, file: config.file, field: requirement.key,
      "\(value.description) is nothing that this version computes")
  }

  private func value(of rule: ParameterRule) throws(KistError) -> ParameterValue? {
    switch rule.default {
    case .required:
      throw KistError(.unsupported, file: file, field: rule.keys.first, "is missing")
    case .absent: return nil
    case .value(let value): return value
    case .same(let other): return values[other]
    case .quotient(let over, let under):
      let (over, under) = (try integer(over), try integer(under))
      guard over % under == 0 else {
        throw KistError(
          .unsupported, file: file, field: rule.keys.first, "is missing, and \(over) / \(under) is not whole")
      }
      return .integer(over / under)
    case .multiple(let factor, let other): return .integer(try size(factor, times: integer(other)))
    case .sum(let first, let second): return .integer(try integer(first) + integer(second))
    case .product(let first, let second): return .integer(try size(integer(first), times: integer(second)))
    case .fraction(let whole, let fraction):
      return .integer(Int(Double(try integer(whole)) * (try number(fraction))))
    }
  }

  private func size(_ first: Int, times second: Int) throws(KistError) -> Int {
    let (product, overflow) = first.multipliedReportingOverflow(by: second)
    guard !overflow, product <= Parameters.largestSize else {
      throw KistError(.damaged, file: file, "sizes are too large: \(first) × \(second)")
    }
    return product
  }

  /// No size of a model is larger, so that products of two of them don't overflow.
  static let largestSize = 1 << 30

  public subscript(parameter: Parameter) -> ParameterValue? { values[parameter] }

  /// A positive size.
  public func integer(_ parameter: Parameter) throws(KistError) -> Int {
    guard let value = values[parameter] else { throw missing(parameter) }
    guard let integer = value.integer, integer > 0, integer <= Parameters.largestSize else {
      throw wrong(parameter, value, "is no size")
    }
    return integer
  }

  public func optionalInteger(_ parameter: Parameter) throws(KistError) -> Int? {
    values[parameter] == nil ? nil : try integer(parameter)
  }

  public func number(_ parameter: Parameter) throws(KistError) -> Double {
    guard let value = values[parameter] else { throw missing(parameter) }
    guard let number = value.number, number.isFinite else { throw wrong(parameter, value, "is no number") }
    return number
  }

  public func optionalNumber(_ parameter: Parameter) throws(KistError) -> Double? {
    values[parameter] == nil ? nil : try number(parameter)
  }

  /// False where nothing says it.
  public func flag(_ parameter: Parameter) throws(KistError) -> Bool {
    guard let value = values[parameter] else { return false }
    guard let flag = value.flag else { throw wrong(parameter, value, "is neither true nor false") }
    return flag
  }

  public func text(_ parameter: Parameter) throws(KistError) -> String {
    guard let value = values[parameter] else { throw missing(parameter) }
    guard let text = value.text else { throw wrong(parameter, value, "is no word") }
    return text
  }

  public func numbers(_ parameter: Parameter) throws(KistError) -> [Double]? {
    guard let value = values[parameter] else { return nil }
    guard let list = value.list else { throw wrong(parameter, value, "is no list") }
    let numbers = list.compactMap(\.number)
    guard numbers.count == list.count else { throw wrong(parameter, value, "is no list of numbers") }
    return numbers
  }

  private func missing(_ parameter: Parameter) -> KistError {
    KistError(.unsupported, file: file, field: keys[parameter] ?? parameter.rawValue, "is missing")
  }

  func wrong(_ parameter: Parameter, _ value: ParameterValue, _ problem: String) -> KistError {
    KistError(.damaged, file: file, field: keys[parameter] ?? parameter.rawValue, "\(value.description) \(problem)")
  }

  /// An error about what a parameter says.
  public func unsupported(_ parameter: Parameter, _ problem: String) -> KistError {
    KistError(.unsupported, file: file, field: keys[parameter] ?? parameter.rawValue, problem)
  }
}

extension Choice {
  func value(_ parameters: Parameters) throws(KistError) -> Value {
    switch self {
    case .always(let value): value
    case .when(let parameter, let first, let second):
      try parameters.flag(parameter) ? first.value(parameters) : second.value(parameters)
    }
  }
}

extension LayerSelection {
  /// Whether layer `index` is one of them.
  func contains(_ index: Int, _ parameters: Parameters) throws(KistError) -> Bool {
    switch self {
    case .all: return true
    case .none: return false
    case .typed(let type, let otherwise):
      guard let types = parameters[.layerTypes]?.list else { return try otherwise.contains(index, parameters) }
      guard index < types.count else { throw parameters.unsupported(.layerTypes, "has too few layers") }
      return types[index].text == type
    case .from(let parameter): return index >= (parameters[parameter]?.integer ?? .max)
    case .flagged(let parameter, let otherwise):
      guard let flags = try parameters.numbers(parameter), !flags.isEmpty else {
        return try otherwise.contains(index, parameters)
      }
      guard index < flags.count else { throw parameters.unsupported(parameter, "has too few layers") }
      return flags[index] != 0
    case .notListed(let parameter): return !(try parameters.numbers(parameter) ?? []).contains(Double(index))
    case .notEveryNth(let parameter):
      guard let step = try parameters.optionalInteger(parameter) else { return true }
      return (index + 1) % step != 0
    case .everyNth(let parameter):
      guard let step = try parameters.optionalInteger(parameter) else { return true }
      return (index + 1) % step == 0
    case .even: return index % 2 == 0
    case .both(let first, let second):
      return try first.contains(index, parameters) ? second.contains(index, parameters) : false
    case .when(let parameter, let selection):
      return try parameters.flag(parameter) ? selection.contains(index, parameters) : false
    }
  }
}
