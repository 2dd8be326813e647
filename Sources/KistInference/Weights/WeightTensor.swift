import KistCore

/// A tensor of an open checkpoint, as the forward pass takes it.
public struct WeightTensor: Sendable {
  public var name: String
  /// Nil when this version does not know the dtype.
  public var dtype: DType?
  public var shape: Shape
  /// Row-major, little-endian. Raw content should be a mapped file's, so that nothing is copied.
  public var source: any ByteSource
  /// Bytes that are unpacked at a time, of content that does not lie in a mapped file as it is; nil of content that does.
  public var pieceByteCount: Int?

  public init(name: String, dtype: DType?, shape: Shape, source: any ByteSource, pieceByteCount: Int? = nil) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.source = source
    self.pieceByteCount = pieceByteCount
  }
}

extension WeightTensor {
  /// The tensor with a source that keeps what it may and lets go of the rest.
  ///
  /// - Parameter spare: Memory for what is unpacked and not kept.
  func placed(isKept: Bool, spare: SpareRoom) -> WeightTensor {
    var tensor = self
    if let pieceByteCount {
      // What is not kept is unpacked whole for one use, when it is not large: rows and pieces need not end together.
      guard isKept || source.byteCount <= WeightTensor.largestTransient else { return self }
      tensor.source = UnpackedSource(source, pieceByteCount: pieceByteCount, isKept: isKept, spare: spare)
    } else if isKept {
      tensor.source = (source as? FileSource)?.staying ?? StayingSource(source: source)
    }
    return tensor
  }

  private static let largestTransient = 1 << 26
}

/// Mapped content whose pages stay.
private struct StayingSource: ByteSource {
  let source: any ByteSource

  var byteCount: Int { source.byteCount }

  func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) { unsafe try source.withBytes(range, body) }
}
