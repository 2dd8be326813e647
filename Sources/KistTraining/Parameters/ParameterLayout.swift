import KistArchitectures
import KistCore

/// Where each parameter of a model lies among all its numbers, and in which tensors of a file.
///
/// ```
/// TensorKey ─ Parameter: a range of one long list of numbers, rows of outputs    (what is computed with)
///    └─ TensorLocation ─ FileTensor: a name, a shape, and pieces of parameters   (what Hugging Face's files have)
/// ```
package struct ParameterLayout: Sendable {
  package struct Parameter: Sendable {
    package var key: TensorKey
    package var offset: Int
    package var rowCount: Int
    package var columnCount: Int
    /// What is added to each number before it is used: Gemma's norms are stored, and trained, less 1.
    package var addend: Float

    package var count: Int { rowCount * columnCount }
    package var range: Range<Int> { offset..<offset + count }
    /// Norms and biases are vectors.
    package var isMatrix: Bool { columnCount > 1 || !(key.role.isNorm || key.part == .bias) }
  }

  /// A tensor of a checkpoint.
  package struct FileTensor: Sendable {
    package var name: String
    package var shape: [Int]
    package var segments: [Segment]

    package var count: Int { shape.reduce(1, *) }
  }

  /// Numbers of a file's tensor that are numbers of a parameter, each evenly spaced.
  package struct Segment: Sendable {
    var file: Int
    var fileStep: Int
    var parameter: Int
    var parameterStep: Int
    var count: Int
  }

  package let model: ModelDescription
  package let parameters: [Parameter]
  package let fileTensors: [FileTensor]
  /// Numbers of all parameters, with what lies between them.
  package let count: Int
  private let indices: [TensorKey: Int]

  /// - Throws: `unsupported` when the family's files have no place for a parameter, or hold more than the parameters.
  package init(_ model: ModelDescription, file: String) throws(KistError) {
    self.model = model
    var parameters: [Parameter] = []
    var files = FileTensorList()
    var offset = 0
    for key in model.tensorKeys {
      let locations = model.locations(of: key)
      guard let shape = model.shape(of: key), let first = locations.first else {
        throw KistError(
          .unsupported, file: file, field: "\(key)", "has no name in \(model.architecture.name) checkpoints")
      }
      let parameter = Parameter(
        key: key, offset: offset, rowCount: shape[0], columnCount: shape.dropFirst().reduce(1, *), addend: first.addend)
      var row = 0
      for location in locations {
        files.add(location, at: offset + row * location.columnCount)
        row += location.rowCount
      }
      parameters.append(parameter)
      // Each begins at whole vectors.
      offset += (parameter.count + 15) / 16 * 16
    }
    self.parameters = parameters
    count = offset
    fileTensors = files.tensors
    indices = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.key, $0) })
    for tensor in fileTensors where tensor.segments.reduce(0, { $0 + $1.count }) != tensor.count {
      throw KistError(
        .unsupported, file: file, field: "tensor '\(tensor.name)'", "has parts that are no parameters here")
    }
  }

  /// Numbers that are learned.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// The same without the tables that tokens and positions are looked up in, and without the head: the N of scaling laws.
  /// Source: Kaplan et al. 2020, section 1.3.
  package var parameterCountWithoutEmbeddings: Int {
    let tables: [TensorRole] = [.tokenEmbedding, .positionEmbedding, .head]
    return parameters.filter { !tables.contains($0.key.role) }.reduce(0) { $0 + $1.count }
  }

  package func parameter(_ key: TensorKey) throws(KistError) -> Parameter {
    guard let index = indices[key] else {
      throw KistError(.unsupported, field: "\(key)", "is no parameter of this model")
    }
    return parameters[index]
  }
}

/// The tensors of a file in the order in which parameters name them.
private struct FileTensorList {
  private(set) var tensors: [ParameterLayout.FileTensor] = []
  private var indices: [String: Int] = [:]

  mutating func add(_ location: TensorLocation, at offset: Int) {
    let name = location.names[0]
    let index = indices[name] ?? tensors.count
    if index == tensors.count {
      indices[name] = index
      tensors.append(ParameterLayout.FileTensor(name: name, shape: location.fileShape, segments: []))
    }
    tensors[index].segments += location.segments(at: offset)
  }
}

extension TensorLocation {
  fileprivate func segments(at offset: Int) -> [ParameterLayout.Segment] {
    switch order {
    case .columns(let first, let step, let width, let start):
      return (0..<columnCount).map { column in
        ParameterLayout.Segment(
          file: (start + column) * width + first, fileStep: step, parameter: offset + column,
          parameterStep: columnCount, count: rowCount)
      }
    case .rows(let runs):
      var segments: [ParameterLayout.Segment] = []
      var row = 0
      for run in runs {
        // Adjacent rows are one segment.
        let (pieces, rows) = run.step == 1 ? (1, run.count) : (run.count, 1)
        for piece in 0..<pieces {
          segments.append(
            ParameterLayout.Segment(
              file: (run.start + piece * run.step) * columnCount, fileStep: 1,
              parameter: offset + (row + piece * rows) * columnCount, parameterStep: 1, count: rows * columnCount))
        }
        row += run.count
      }
      return segments
    }
  }
}
