/// What an importance matrix is of: what `kist imatrix --json` prints. docs/json.md describes every field.
public struct ImportanceReport: Sendable, Encodable {
  /// The version of this schema.
  public var schema = 1
  public var path: String
  public var tensorCount: Int
  public var chunkCount: Int
  public var chunkSize: Int
  public var datasets: [String]
  /// Tensors with experts that no token took.
  public var unreached: [String]
  public var seconds: Double

  enum CodingKeys: String, CodingKey {
    case schema, path, datasets, unreached, seconds
    case tensorCount = "tensors"
    case chunkCount = "chunks"
    case chunkSize = "chunk_size"
  }

  public init(_ matrix: ImportanceMatrix, path: String, seconds: Double) {
    self.path = path
    tensorCount = matrix.entries.count
    chunkCount = matrix.chunkCount
    chunkSize = matrix.chunkSize
    datasets = matrix.datasets
    unreached = matrix.names.filter { matrix[$0]?.counts.contains(0) == true }
    self.seconds = seconds
  }
}
