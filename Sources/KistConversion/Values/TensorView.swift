import KistCheckpoints
import KistCore
import KistFormat

/// A part of a tensor, whose values are read as they are asked for.
public struct TensorView: Sendable {
  public let tensor: CheckpointTensor
  public let dtype: DType
  public let selection: TensorSelection
  private let file: String

  /// - Throws: `missing` when the checkpoint has no such tensor; `unsupported` when its dtype is not known; `invalid`
  ///   when the slice does not go with its shape.
  public init(_ name: String, _ slice: TensorSlice, in checkpoint: Checkpoint) throws(KistError) {
    guard let tensor = checkpoint.tensors.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      throw KistError(
        .missing, file: checkpoint.path, "has no tensor '\(name)'",
        advice: "`kist inspect --tensors '*'` lists the names")
    }
    self.tensor = tensor
    file = checkpoint.path
    dtype = try TensorWindow(tensor, file: file).dtype
    do throws(KistError) { selection = try slice.selection(in: tensor.shape) } catch {
      var error = error.inFile(file)
      error.field = "'\(name)'" + (error.field.map { ": \($0)" } ?? "")
      throw error
    }
  }

  public var shape: Shape { selection.shape }

  func window() throws(KistError) -> TensorWindow { try TensorWindow(tensor, file: file) }

  /// The dtype that NumPy is given: the tensor's own, or F32 where NumPy has none; F32 holds all those exactly.
  public var numpyDType: DType { dtype.numpyDescriptor == nil ? .f32 : dtype }

  /// Writes the values as a .npy file, which appears under its name only when it is complete.
  ///
  /// - Throws: `conflict` when the target exists and is not to be replaced.
  /// - Complexity: memory of about 2 MiB.
  public func writeNpy(
    to path: String, replacingExisting: Bool = false, cancellation: Cancellation = Cancellation()
  ) throws(KistError) {
    if !replacingExisting { try requireAbsent(path) }
    let target = try NewFile(target: path)
    var position = 0
    func write(_ bytes: UnsafeRawBufferPointer) throws(KistError) {
      try cancellation.check()
      unsafe try target.output.write(bytes, at: position)
      position += bytes.count
    }
    let header = try NpyFile.header(dtype: numpyDType, shape: shape)
    try target.output.write(header, at: 0)
    position = header.count
    let window = try window()
    try selection.forEachRun { run throws(KistError) in
      if dtype == numpyDType {
        unsafe try window.copyBytes(of: run) { bytes throws(KistError) in unsafe try write(bytes) }
      } else {
        try window.copyF32(of: run) { values throws(KistError) in
          let result = unsafe values.withUnsafeBytes { bytes in
            Result { () throws(KistError) in unsafe try write(bytes) }
          }
          try result.get()
        }
      }
    }
    try target.commit(replacing: replacingExisting)
  }
}
