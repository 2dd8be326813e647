/// What a family's checkpoints call a tensor, and how it lies there.
public struct TensorRule: Sendable {
  public var role: TensorRole
  public var part: TensorKey.Part
  /// `{layer}`, `{expert}` and `{head}` stand for their numbers.
  public var name: String
  public var form: TensorForm
  public var presence: Presence

  /// When a tensor is there.
  public enum Presence: Sendable {
    case always
    case when(Parameter)
    case unless(Parameter)
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
  /// Each expert is a slice, whose rows are the roles' in turn; of biases, each expert is a row.
  case stackedInTurn([TensorRole])
  /// The same, as a tensor of MXFP4 blocks and one of their scales.
  case stackedBlocks([TensorRole], scales: String)
  /// A tensor for each head.
  case eachHead
  /// Latent attention's last step as GGUF has it: keys' part with a transposed slice for each head, and values' part with a slice
  /// for each, in a tensor of that name.
  case latentHeads(values: String)
  /// Each head's rows as pairs of neighbours rather than halves: llama.cpp's order of Llama's queries and keys.
  case neighbouringPairs
}
