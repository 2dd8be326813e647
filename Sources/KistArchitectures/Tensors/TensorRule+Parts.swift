extension [TensorRule] {
  /// A matrix and perhaps its bias.
  static func linear(
    _ role: TensorRole, _ name: String, bias: TensorRule.Presence? = nil, form: TensorForm = .plain,
    presence: TensorRule.Presence = .always
  ) -> [TensorRule] {
    // A transposed matrix has an ordinary bias.
    let biasForm: TensorForm =
      switch form {
      case .transposed: .plain
      case .columns(let roles): .rows(roles)
      default: form
      }
    return [TensorRule(role, name + ".weight", form: form, presence: presence)]
      + (bias.map { [TensorRule(role, name + ".bias", part: .bias, form: biasForm, presence: $0)] } ?? [])
  }

  /// A norm's weight, which a form concerns, and its bias where the kind of norm has one.
  static func norm(
    _ role: TensorRole, _ name: String, form: TensorForm = .plain, presence: TensorRule.Presence = .always
  ) -> [TensorRule] {
    [
      TensorRule(role, name + ".weight", form: form, presence: presence),
      TensorRule(role, name + ".bias", part: .bias, presence: presence),
    ]
  }

  /// Query, key and value in one matrix, in groups of heads.
  static func queryKeyValueGroups(_ name: String, bias: TensorRule.Presence) -> [TensorRule] {
    [.query, .key, .value].flatMap { linear($0, name, bias: bias, form: .headGroups) }
  }
}

extension Array {
  /// Rules of several lists. (A long chain of `+` takes the compiler minutes.)
  static func joined(_ parts: [Element]...) -> [Element] { parts.flatMap { $0 } }
}
