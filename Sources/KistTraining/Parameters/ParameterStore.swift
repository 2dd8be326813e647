import KistArchitectures
import KistCore
import KistInference
import KistQuantization

/// The parameters of a model in training, their gradients, and what the optimizer remembers of each.
package final class ParameterStore {
  package let layout: ParameterLayout
  /// One row of numbers each, in the layout's order.
  package let values: Matrix
  package let gradients: Matrix
  /// Running averages of an optimizer, by name: `exp_avg`. Zeros at first.
  package private(set) var states: [(name: String, numbers: Matrix)]

  package init(_ layout: ParameterLayout, stateNames: [String]) {
    self.layout = layout
    values = Matrix(rows: 1, columns: layout.count)
    gradients = Matrix(rows: 1, columns: layout.count)
    states = stateNames.map { ($0, Matrix(rows: 1, columns: layout.count)) }
  }

  package func clearGradients() { unsafe gradients.values.update(repeating: 0, count: layout.count) }

  /// The parameter's numbers, with its addend.
  @unsafe func values(of parameter: ParameterLayout.Parameter) -> UnsafeMutablePointer<Float> {
    unsafe values.values + parameter.offset
  }

  @unsafe func gradients(of parameter: ParameterLayout.Parameter) -> UnsafeMutablePointer<Float> {
    unsafe gradients.values + parameter.offset
  }

  // MARK: - To files and back

  /// A file's tensor with the numbers of `source`, which is ``values``, ``gradients`` or a state.
  package func numbers(of tensor: ParameterLayout.FileTensor, in source: Matrix) -> [Float] {
    var numbers = [Float](repeating: 0, count: tensor.count)
    for segment in tensor.segments {
      unsafe numbers.withUnsafeMutableBufferPointer { target in
        guard let base = target.baseAddress else { return }
        unsafe copy(
          source.values + segment.parameter, segment.parameterStep, to: base + segment.file, segment.fileStep,
          segment.count)
      }
    }
    return numbers
  }

  /// Takes a file's tensor into ``values`` or a state.
  package func take(_ numbers: [Float], of tensor: ParameterLayout.FileTensor, into target: Matrix) {
    precondition(numbers.count == tensor.count, "as many numbers as the tensor has")
    for segment in tensor.segments {
      unsafe numbers.withUnsafeBufferPointer { source in
        guard let base = source.baseAddress else { return }
        unsafe copy(
          base + segment.file, segment.fileStep, to: target.values + segment.parameter, segment.parameterStep,
          segment.count)
      }
    }
  }

  private func copy(
    _ source: UnsafePointer<Float>, _ sourceStep: Int, to target: UnsafeMutablePointer<Float>, _ targetStep: Int,
    _ count: Int
  ) {
    if sourceStep == 1, targetStep == 1 { return unsafe target.update(from: source, count: count) }
    for index in 0..<count { unsafe target[index * targetStep] = source[index * sourceStep] }
  }

  /// Takes the weights of a checkpoint.
  ///
  /// - Throws: `damaged` for a tensor that is missing or of another shape.
  package func take(_ tensors: [WeightTensor], file: String) throws(KistError) {
    let byName = Dictionary(tensors.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    for tensor in layout.fileTensors {
      // Files may leave out a beginning of the name.
      let names =
        [tensor.name]
        + layout.model.architecture.optionalPrefixes.filter { tensor.name.hasPrefix($0) }
        .map { String(tensor.name.dropFirst($0.count)) }
      guard let found = names.lazy.compactMap({ byName[Array($0.utf8)] }).first else {
        throw KistError(
          .damaged, file: file, field: "tensor '\(tensor.name)'", "is missing, but the configuration asks for it")
      }
      take(try found.numbers(shape: tensor.shape, file: file), of: tensor, into: values)
    }
  }
}

extension WeightTensor {
  /// All numbers, as f32.
  package func numbers(shape: [Int], file: String) throws(KistError) -> [Float] {
    func wrong(_ problem: String) -> KistError { KistError(.damaged, file: file, field: "tensor '\(name)'", problem) }
    guard self.shape.dimensions == shape else { throw wrong("has shape \(self.shape), not \(shape)") }
    guard let dtype, let decoder = RowDecoder(dtype), dtype.unitElementCount == 1 else {
      throw wrong("is nothing that can be trained; convert it to f32, f16 or bf16")
    }
    let count = shape.reduce(1, *)
    guard decoder.byteCount(of: count) == source.byteCount else { throw wrong("has \(source.byteCount) bytes") }
    var numbers = [Float](repeating: 0, count: count)
    let width = dtype.unitByteCount
    for start in stride(from: 0, to: source.byteCount, by: 1 << 20) {
      let part = start..<min(start + 1 << 20, source.byteCount)
      unsafe try source.withBytes(part) { bytes throws(KistError) in
        unsafe numbers.withUnsafeMutableBufferPointer { target in
          guard let from = bytes.baseAddress, let base = target.baseAddress else { return }
          unsafe decoder.decode(from, count: part.count / width, into: base + start / width)
        }
      }
    }
    return numbers
  }
}
