import KistCore

/// A dtype of PyTorch: `torch.bfloat16`. It is a row of a table, so that values which name one stay small.
struct TorchDType: Sendable, Equatable {
  private let row: UInt8

  private struct Row {
    /// Without `torch.`.
    var name: String
    /// The name of its typed storage before `Storage`; later dtypes have none.
    var storage: String?
    /// Nil when Kist has no such dtype.
    var dtype: DType?
    var width: Int
    var numbersPerElement = 1
  }

  /// Source: torch/storage.py, `_dtype_to_storage_type_map` and `_new_dtypes`.
  private static let table: [Row] = [
    Row(name: "float64", storage: "Double", dtype: .f64, width: 8),
    Row(name: "float32", storage: "Float", dtype: .f32, width: 4),
    Row(name: "float16", storage: "Half", dtype: .f16, width: 2),
    Row(name: "bfloat16", storage: "BFloat16", dtype: .bf16, width: 2),
    Row(name: "int64", storage: "Long", dtype: .i64, width: 8),
    Row(name: "int32", storage: "Int", dtype: .i32, width: 4),
    Row(name: "int16", storage: "Short", dtype: .i16, width: 2),
    Row(name: "int8", storage: "Char", dtype: .i8, width: 1),
    Row(name: "uint8", storage: "Byte", dtype: .u8, width: 1),
    Row(name: "bool", storage: "Bool", dtype: .bool, width: 1),
    Row(name: "complex64", storage: "ComplexFloat", dtype: .c64, width: 8),
    Row(name: "complex128", storage: "ComplexDouble", width: 16),
    Row(name: "complex32", width: 4),
    Row(name: "uint16", dtype: .u16, width: 2),
    Row(name: "uint32", dtype: .u32, width: 4),
    Row(name: "uint64", dtype: .u64, width: 8),
    Row(name: "float8_e4m3fn", dtype: .f8e4m3, width: 1),
    Row(name: "float8_e5m2", dtype: .f8e5m2, width: 1),
    Row(name: "float8_e4m3fnuz", dtype: .f8e4m3fnuz, width: 1),
    Row(name: "float8_e5m2fnuz", dtype: .f8e5m2fnuz, width: 1),
    Row(name: "float8_e8m0fnu", dtype: .f8e8m0, width: 1),
    Row(name: "float4_e2m1fn_x2", dtype: .f4, width: 1, numbersPerElement: 2),
  ]

  private static let rows = table.indices.map { TorchDType(row: UInt8($0)) }

  /// By the names of globals: `torch.float32`.
  static let dtypes = Dictionary(uniqueKeysWithValues: rows.map { ("torch.\($0.name)", $0) })

  /// By the names of globals: `torch.FloatStorage`.
  static let storages = Dictionary(
    uniqueKeysWithValues: rows.compactMap { dtype in
      table[Int(dtype.row)].storage.map { ("torch.\($0)Storage", dtype) }
    })

  /// Without `torch.`.
  var name: String { Self.table[Int(row)].name }
  /// Nil when Kist has no such dtype.
  var dtype: DType? { Self.table[Int(row)].dtype }
  /// Bytes of an element.
  var width: Int { Self.table[Int(row)].width }
  /// Numbers in an element, which has them side by side in the last dimension.
  var numbersPerElement: Int { Self.table[Int(row)].numbersPerElement }
}
