/// What a family of models is, as data: which configuration keys say what, what its tensors are called and how they lie in
/// each format, and what a forward pass has to compute.
///
/// A family is one value in one file of `Families/`, without control flow. Together with a checkpoint's configuration it
/// becomes a ``ModelDescription``, which says every number; conversion and forward pass read the same value.
///
/// ```
/// Architecture + config.json ──▶ ModelDescription ──▶ the forward pass' steps
///       └─ TensorRule ─────────▶ TensorLocation   ──▶ which rows of which tensor
/// ```
public struct Architecture: Sendable {
  public enum Kind: Sendable {
    /// Predicts the next token; a token sees itself and those before it.
    case decoder
    /// Gives a state for each token, which sees all others.
    case encoder
  }

  /// How Kist calls the family.
  public var name: String
  /// Values of config.json's `architectures` that mean it.
  public var classNames: [String]
  /// Values of config.json's `model_type` that mean it, where `architectures` says nothing.
  public var modelTypes: [String]
  /// How its GGUF files differ from the tables; nil when llama.cpp does not have the family.
  public var gguf: GGUFForm?
  public var kind: Kind

  /// What configuration keys say.
  public var parameters: [ParameterRule]
  /// Keys that must have one of some values, because nothing else is computed here.
  public var requirements: [Requirement]
  /// Keys that change nothing that is computed here.
  public var ignoredKeys: [String]

  public var embedding: Embedding
  public var norm: Choice<NormKind>
  public var residual: Choice<ResidualLayout>
  public var attention: Attention
  public var feedForward: FeedForward
  public var head: Head

  /// In training, matrices that end a branch begin smaller by √(2 · layers).
  public var scalesInitialBranches: Bool

  /// Beginnings of tensor names that a file has or leaves out, the longest first: `transformer.`.
  public var optionalPrefixes: [String]
  /// Beginnings of tensor names, and what a file may write instead: `model.` and `language_model.model.`, where the text model is part
  /// of another.
  public var longerPrefixes: [(key: String, value: String)] = []
  /// Ends of tensor names that old files write otherwise: `LayerNorm.gamma` for `LayerNorm.weight`.
  public var olderEndings: [String: String]
  public var tensors: [TensorRule]
  /// Globs of tensors that are in files and mean nothing here: masks, buffers. `{layerCount}` stands for the number of layers:
  /// layers past the last predict further tokens.
  public var ignoredTensors: [String]

  public init(
    name: String, classNames: [String], modelTypes: [String], gguf: GGUFForm? = nil, kind: Kind = .decoder,
    parameters: [ParameterRule], requirements: [Requirement] = [], ignoredKeys: [String] = [],
    embedding: Embedding = Embedding(), norm: Choice<NormKind> = .always(.rms),
    residual: Choice<ResidualLayout> = .always(.preNorm), attention: Attention = Attention(),
    feedForward: FeedForward = FeedForward(), head: Head = Head(), scalesInitialBranches: Bool = false,
    optionalPrefixes: [String] = [],
    olderEndings: [String: String] = [:],
    tensors: [TensorRule], ignoredTensors: [String] = []
  ) {
    self.name = name
    self.classNames = classNames
    self.modelTypes = modelTypes
    self.gguf = gguf
    self.kind = kind
    self.parameters = parameters.latest
    self.requirements = requirements
    self.ignoredKeys = ignoredKeys
    self.embedding = embedding
    self.norm = norm
    self.residual = residual
    self.attention = attention
    self.feedForward = feedForward
    self.head = head
    self.scalesInitialBranches = scalesInitialBranches
    self.optionalPrefixes = optionalPrefixes
    self.olderEndings = olderEndings
    self.tensors = tensors
    self.ignoredTensors = ignoredTensors
  }
}

/// A property that a family has always, or that a configuration's flag decides.
public enum Choice<Value: Sendable>: Sendable {
  case always(Value)
  /// The first value when the parameter is true.
  indirect case when(Parameter, Choice, otherwise: Choice)
}
