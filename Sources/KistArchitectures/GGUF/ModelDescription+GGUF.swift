import KistCore

extension ModelDescription {
  /// The same model with its tensors as a GGUF file has them: names, shapes and orders of rows. Nil when GGUF has no such family.
  ///
  /// - Throws: what resolving a description throws.
  public func inGGUF() throws(KistError) -> ModelDescription? {
    guard let form = architecture.gguf, let family = architecture.inGGUF else { return nil }
    return try ModelDescription(family, parameters.fixed(by: form.parameters))
  }
}

/// A tensor of a checkpoint, and what lies in it.
public struct FileTensor: Sendable {
  public var name: String
  /// Slowest dimension first.
  public var shape: [Int]
  /// The tensors of the forward pass whose rows are there. Each one's ``ModelDescription/locations(of:)`` says which.
  public var keys: [TensorKey]
}

extension ModelDescription {
  /// The tensors of a checkpoint that has each under its first name, in the order of the forward pass.
  public var fileTensors: [FileTensor] {
    var tensors: [FileTensor] = []
    var places: [String: Int] = [:]
    for key in tensorKeys {
      for location in locations(of: key) {
        guard let name = location.names.first else { continue }
        if let place = places[name] {
          if tensors[place].keys.last != key { tensors[place].keys.append(key) }
        } else {
          places[name] = tensors.count
          tensors.append(FileTensor(name: name, shape: location.fileShape, keys: [key]))
        }
      }
    }
    return tensors
  }
}

extension Parameters {
  /// With the values that rules fix.
  func fixed(by rules: [ParameterRule]) -> Parameters {
    var copy = self
    for rule in rules where rule.keys.isEmpty {
      switch rule.default {
      case .value(let value): copy.values[rule.parameter] = value
      case .absent: copy.values[rule.parameter] = nil
      default: break
      }
    }
    return copy
  }
}
