import KistConversion
import KistCore
import KistFormat
import TestSupport

/// A container of some entries, opened.
func makeCheckpoint(_ entries: [NewEntry], in folder: TemporaryFolder, _ name: String = "a.kist") throws -> Checkpoint {
  try writeSample(folder.file(name), entries: entries)
  return try Checkpoint.open(path: folder.file(name))
}

/// A tensor of F32 values.
func f32(_ name: String, _ values: [Float], shape: Shape? = nil) -> NewEntry {
  .tensor(name, dtype: .f32, shape: shape ?? [values.count], source: MemorySource(littleEndianBytes(values)))
}

/// The little-endian bytes of numbers.
func bytes<Number: BitwiseCopyable>(of numbers: [Number]) -> [UInt8] {
  unsafe numbers.withUnsafeBytes { unsafe [UInt8]($0) }
}

/// Every dtype, with values.
let dtypesFixture = "\(repository)/Fixtures/dtypes.safetensors"
