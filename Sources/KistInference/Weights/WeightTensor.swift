import KistCore

/// A tensor of an open checkpoint, as the forward pass takes it.
public struct WeightTensor: Sendable {
  public var name: String
  /// Nil when this version does not know the dtype.
  public var dtype: DType?
  public var shape: Shape
  /// Row-major, little-endian. Raw content should be a mapped file's, so that nothing is copied.
  public var source: any ByteSource

  public init(name: String, dtype: DType?, shape: Shape, source: any ByteSource) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.source = source
  }
}
