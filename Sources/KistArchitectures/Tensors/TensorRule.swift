/// What a family's checkpoints call a tensor, and how it lies there.
public struct TensorRule: Sendable {
  public var role: TensorRole
  public var part: TensorKey.Part
  /// `{layer}` and `{expert}` stand for their numbers.
  public var name: String
  public var form: TensorForm
  public var presence: Presence

  /// When a tensor is there.
  public enum Presence: Sendable {
    case always
    case when(Parameter)
    case unless(Parameter)
    /// It may be missing, and then does nothing.
    case optional
  }

  public init(
    _ role: TensorRole, _ name: String, part: TensorKey.Part = .weight, form: TensorForm = .plain,
    presence: Presence = .always
  ) {
    self.role = role
    self.part = part
    self.name = name
    self.form = form
    self.presence = presence
  }

  /// The name of the tensor of a layer and expert.
  public func name(layer: Int?, expert: Int?) -> String {
    var text = name
    if let layer { text = text.replacing("{layer}", with: "\(layer)") }
    if let expert { text = text.replacing("{expert}", with: "\(expert)") }
    return text
  }
}

/// How a tensor lies in a file, against the form that the forward pass knows: a matrix has a row for each output.
public enum TensorForm: Sendable, Equatable {
  case plain
  /// A row for each input: y = x · W. GPT-2's Conv1D.
  case transposed
  /// Holds w − 1. Gemma's norms.
  case oneBelow
  /// Its rows lie in a tensor with those of other roles, one role after the other.
  case rows([TensorRole])
  /// The same, transposed.
  case columns([TensorRole])
  /// Query, key and value in one tensor: for each key head its query heads, then the key head, then the value head.
  case headGroups
  /// Each expert is a slice.
  case stacked
  /// Each expert is a transposed slice, whose columns are the roles' in turn: gate, up, gate, up… GPT-OSS.
  case stackedTransposed([TensorRole])
  /// The biases of experts: each a row, whose numbers are the roles' in turn.
  case stackedInTurn([TensorRole])
  /// Each head's rows as pairs of neighbours rather than halves: llama.cpp's order of Llama's queries and keys.
  case neighbouringPairs
}

extension [TensorRule] {
  /// A matrix and perhaps its bias.
  static func linear(
    _ role: TensorRole, _ name: String, bias: TensorRule.Presence? = nil, form: TensorForm = .plain
  ) -> [TensorRule] {
    // A transposed matrix has an ordinary bias.
    let biasForm: TensorForm =
      switch form {
      case .transposed: .plain
      case .columns(let roles): .rows(roles)
      default: form
      }
    return [TensorRule(role, name + ".weight", form: form)]
      + (bias.map { [TensorRule(role, name + ".bias", part: .bias, form: biasForm, presence: $0)] } ?? [])
  }

  /// A norm's weight, and its bias where the kind of norm has one.
  static func norm(_ role: TensorRole, _ name: String, form: TensorForm = .plain) -> [TensorRule] {
    [TensorRule(role, name + ".weight", form: form), TensorRule(role, name + ".bias", part: .bias, form: form)]
  }
}
