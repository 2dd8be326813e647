/// The classes and functions that a checkpoint may name, as what they mean here. Nothing else can be named, and none of these is code.
///
/// PyTorch's own `weights_only` reader allows about the same: torch/_weights_only_unpickler.py.
enum TorchGlobal: Sendable, Equatable {
  /// `OrderedDict()` or `OrderedDict([[key, value], …])`.
  case orderedDict
  /// `set([…])`, `frozenset([…])`.
  case set
  /// `(storage, offset, size, stride, …)`; version 3 also has the dtype.
  case rebuildTensor(version: Int)
  /// `(tensor, requires_grad, hooks, …)`: the tensor.
  case rebuildParameter
  /// `(function, class, arguments, state)`: what the function makes of the arguments.
  case rebuildFromType
  /// The class of a tensor, as an argument of the former.
  case tensorClass
  /// `torch.Size((2, 3))`: the tuple.
  case size
  /// `torch.device("cuda", 0)`, `complex(re, im)`: the arguments.
  case arguments
  /// `_codecs.encode(text, "latin1")`, `bytearray(…)`: how bytes are written in protocol 2.
  case bytes
  case dtype(TorchDType)
  /// The class of a storage of numbers, or of bytes.
  case storage(TorchDType?)

  private static let fixed: [String: TorchGlobal] = [
    "collections.OrderedDict": .orderedDict,
    "builtins.set": .set, "__builtin__.set": .set, "builtins.frozenset": .set, "__builtin__.frozenset": .set,
    "torch._utils._rebuild_tensor": .rebuildTensor(version: 1),
    "torch._utils._rebuild_tensor_v2": .rebuildTensor(version: 2),
    "torch._utils._rebuild_tensor_v3": .rebuildTensor(version: 3),
    "torch._utils._rebuild_parameter": .rebuildParameter,
    "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
    "torch._tensor._rebuild_from_type_v2": .rebuildFromType,
    "torch.Tensor": .tensorClass, "torch._tensor.Tensor": .tensorClass,
    "torch.nn.parameter.Parameter": .tensorClass, "torch.nn.parameter.Buffer": .tensorClass,
    "torch.Size": .size,
    "torch.device": .arguments, "builtins.complex": .arguments, "__builtin__.complex": .arguments,
    "_codecs.encode": .bytes, "builtins.bytearray": .bytes, "__builtin__.bytearray": .bytes,
    "torch.storage.UntypedStorage": .storage(nil), "torch.UntypedStorage": .storage(nil),
  ]

  /// - Parameter name: Module and name with a dot between.
  init?(_ name: String) {
    if let known = TorchGlobal.fixed[name] {
      self = known
    } else if let dtype = TorchDType.dtypes[name] {
      self = .dtype(dtype)
    } else if let dtype = TorchDType.storages[name] {
      self = .storage(dtype)
    } else {
      return nil
    }
  }
}
