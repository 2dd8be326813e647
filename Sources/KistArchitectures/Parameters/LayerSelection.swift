import KistCore

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
      guard let named = types[index].text, LayerSelection.types.contains(named) else {
        throw parameters.unsupported(.layerTypes, "\(types[index].description) is no layer that this version knows")
      }
      return named == type
    case .from(let parameter):
      return try index >= (parameters[parameter] == nil ? Int.max : parameters.index(parameter))
    case .before(let parameter):
      return try index < (parameters[parameter] == nil ? Int.max : parameters.index(parameter))
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
    case .others(let selection): return try !selection.contains(index, parameters)
    case .both(let first, let second):
      return try first.contains(index, parameters) ? second.contains(index, parameters) : false
    case .when(let parameter, let selection):
      return try parameters.flag(parameter) ? selection.contains(index, parameters) : false
    }
  }

  /// The words of `layer_types` that this version computes.
  private static let types: Set<String> = ["full_attention", "sliding_attention"]
}
