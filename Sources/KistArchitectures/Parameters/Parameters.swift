import KistCore

/// The parameters of one model, each with its value.
public struct Parameters: Sendable {
  public internal(set) var values: [Parameter: ParameterValue]
  /// The configuration to name in errors.
  public let file: String
  /// For each parameter, the key that says it.
  private var keys: [Parameter: String]
  /// Those that a key says.
  private var stated: Set<Parameter> = []

  /// Reads what an architecture's rules ask for.
  ///
  /// - Throws: `unsupported` when a required key is missing or a requirement is not met.
  public init(_ architecture: Architecture, _ config: ModelConfig) throws(KistError) {
    try self.init(architecture, config, file: config.file)
  }

  /// The same, from any set of keys.
  public init(
    _ architecture: Architecture, _ source: some ParameterSource, file: String
  ) throws(KistError) {
    values = [:]
    keys = [:]
    self.file = file
    for requirement in architecture.requirements { try check(requirement, source) }
    let rules = Dictionary(architecture.parameters.map { ($0.parameter, $0) }, uniquingKeysWith: { $1 })
    var open = Set(rules.keys)
    for rule in architecture.parameters { try read(rule.parameter, rules, source, &open) }
  }

  private func check(_ requirement: Requirement, _ source: some ParameterSource) throws(KistError) {
    guard let value = try source.value(requirement.key), !requirement.values.contains(value) else { return }
    throw KistError(
      .unsupported, file: file, field: requirement.key, "\(value.description) is nothing that this version computes")
  }

  /// Gives a parameter its value, after those that its rule needs.
  private mutating func read(
    _ parameter: Parameter, _ rules: [Parameter: ParameterRule], _ source: some ParameterSource,
    _ open: inout Set<Parameter>
  ) throws(KistError) {
    guard let rule = rules[parameter], open.remove(parameter) != nil else { return }
    keys[parameter] = rule.keys.first
    for key in rule.keys {
      guard let value = try source.value(key) else { continue }
      values[parameter] = value.text.flatMap { rule.words[$0] }.map { ParameterValue.text($0) } ?? value
      keys[parameter] = key
      stated.insert(parameter)
      return
    }
    var fallback = rule.default
    if let null = rule.null, rule.keys.contains(where: source.isNull) { fallback = null }
    while case .when(let flag, let first, let second) = fallback {
      try read(flag, rules, source, &open)
      fallback = try self.flag(flag) ? first : second
    }
    for needed in fallback.needed { try read(needed, rules, source, &open) }
    // An error about a derived parameter names the key of what it comes from.
    if rule.keys.isEmpty { keys[parameter] = fallback.needed.compactMap { keys[$0] }.first }
    values[parameter] = try value(of: fallback, for: parameter)
  }

  private func value(of rule: ParameterRule.Default, for parameter: Parameter) throws(KistError) -> ParameterValue? {
    switch rule {
    case .required: throw missing(parameter)
    case .absent: return nil
    case .value(let value): return value
    case .equals(let other, let value): return .flag(values[other] == value)
    default: break
    }
    guard rule.needed.allSatisfy({ values[$0] != nil }) else { return nil }
    switch rule {
    case .same(let other): return values[other]
    case .quotient(let over, let under):
      let (over, under) = (try integer(over), try integer(under))
      guard over % under == 0 else {
        throw unsupported(parameter, "nothing says the size of a head, and \(over) / \(under) is not whole")
      }
      return .integer(over / under)
    case .multiple(let factor, let other): return .integer(try size(factor, times: integer(other)))
    case .sum(let first, let second): return .integer(try integer(first) + integer(second))
    case .difference(let first, let second): return .integer(try integer(first) - integer(second))
    case .product(let first, let second): return .integer(try size(integer(first), times: integer(second)))
    case .next(let other): return .integer(try index(other) + 1)
    case .ratio(let over, let under): return .number(try number(over) / (try number(under)))
    case .timesSquareRoot(let other, let root): return .number(try number(other) * (try number(root)).squareRoot())
    case .scaled(let factor, let other): return .number(factor * (try number(other)))
    case .fraction(let whole, let fraction):
      let size = Double(try integer(whole)) * (try number(fraction))
      guard size >= 0, size <= Double(Parameters.largestSize) else {
        throw unsupported(fraction, "is no fraction of \(try integer(whole))")
      }
      return .integer(Int(size))
    default: return nil
    }
  }

  /// What a rule makes of the values that are there.
  func resolved(_ rule: ParameterRule.Default, for parameter: Parameter) throws(KistError) -> ParameterValue? {
    guard case .when(let flag, let first, let second) = rule else { return try value(of: rule, for: parameter) }
    return try resolved(try self.flag(flag) ? first : second, for: parameter)
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

  /// Whether a key says it, rather than a default.
  public func isStated(_ parameter: Parameter) -> Bool { stated.contains(parameter) }

  /// A positive size.
  public func integer(_ parameter: Parameter) throws(KistError) -> Int {
    guard let value = values[parameter] else { throw missing(parameter) }
    guard let integer = value.integer, integer > 0, integer <= Parameters.largestSize else {
      throw wrong(parameter, value, "is no size")
    }
    return integer
  }

  /// A positive size that is no larger than models have.
  func integer(_ parameter: Parameter, atMost most: Int) throws(KistError) -> Int {
    let value = try integer(parameter)
    guard value <= most else { throw unsupported(parameter, "\(value) is more than this version believes (\(most))") }
    return value
  }

  /// A size, or 0.
  public func index(_ parameter: Parameter) throws(KistError) -> Int {
    values[parameter] == .integer(0) ? 0 : try integer(parameter)
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

/// Where parameters are said: a config.json, or a GGUF file's metadata.
public protocol ParameterSource {
  /// The value of a key; nil when it is not there or null.
  func value(_ key: String) throws(KistError) -> ParameterValue?
  /// Whether a key is there and null.
  func isNull(_ key: String) -> Bool
}

extension ParameterRule.Default {
  /// The parameters that it is made of.
  var needed: [Parameter] {
    switch self {
    case .required, .absent, .value: []
    case .same(let other), .multiple(_, let other), .next(let other), .scaled(_, let other), .equals(let other, _):
      [other]
    case .quotient(let first, let second), .sum(let first, let second), .difference(let first, let second),
      .product(let first, let second), .fraction(let first, let second), .ratio(let first, let second),
      .timesSquareRoot(let first, let second):
      [first, second]
    case .when(let flag, _, _): [flag]
    }
  }
}
