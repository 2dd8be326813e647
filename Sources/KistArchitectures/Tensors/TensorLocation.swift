import KistCore

/// Where a tensor that the forward pass asks for, or some rows of it, lies in a checkpoint's tensors.
public struct TensorLocation: Sendable, Equatable {
  /// Names in the file that mean it, best first.
  public var names: [String]
  /// The shape that the file's tensor must have.
  public var fileShape: [Int]
  /// Rows and columns as the forward pass sees them; vectors have one column.
  public var rowCount: Int
  public var columnCount: Int
  public var order: Order

  /// Which of the file's rows are the tensor's.
  public enum Order: Sendable, Equatable {
    /// Runs of rows, in the order of the tensor's own.
    case rows([Run])
    /// The file has a row for each column; the tensor's rows are its columns from `first` on, `step` apart, of `width` in all.
    /// `start` counts the file's rows before the tensor's.
    case columns(first: Int, step: Int, width: Int, start: Int)
  }

  /// Adjacent rows of the file.
  public struct Run: Sendable, Equatable {
    public var start: Int
    public var count: Int
    /// Every `step`th row of the file.
    public var step: Int

    init(_ start: Int, _ count: Int, step: Int = 1) {
      self.start = start
      self.count = count
      self.step = step
    }
  }

  /// What is added to each value of the file.
  public var addend: Float
  public var encoding = Encoding.values

  public enum Encoding: Sendable, Equatable {
    /// The file's tensor has the values.
    case values
    /// It has E2M1 numbers, two in a byte, the first in the low bits: U8 of [experts, rows, columns / 32, 16], ``fileShape``. Each
    /// block of 32 is multiplied with 2^(scale − 127), a byte of the tensor that `scales` names, of `shape` [experts, rows,
    /// columns / 32]. Runs count rows of all experts.
    case mxfp4(scales: [String], shape: [Int])
  }
}

extension TensorLocation {
  /// All rows of a matrix as they lie.
  package static func matrix(_ name: String, rows: Int, columns: Int) -> TensorLocation {
    TensorLocation(
      names: [name], fileShape: [rows, columns], rowCount: rows, columnCount: columns, order: .rows([.init(0, rows)]),
      addend: 0)
  }
}
