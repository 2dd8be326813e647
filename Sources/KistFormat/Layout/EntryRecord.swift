import Foundation
import KistCore

/// One record of the entries block, with its name and dimensions.
package struct EntryRecord: Sendable, Equatable {
  package static let byteCount = 96

  package var name: String
  package var kind: EntryKind
  /// Nil for assets, records, and tensors of a dtype that this version does not know.
  package var dtype: DType?
  package var dtypeCode: UInt16
  package var shape: Shape
  package var ordinal: UInt32
  package var layout: ContentLayout
  package var digest: Digest

  /// An entry that has no chunks yet.
  package init(name: String, kind: EntryKind, dtype: DType?, shape: Shape, ordinal: UInt32, rawByteCount: Int) {
    self.name = name
    self.kind = kind
    self.dtype = dtype
    dtypeCode = dtype?.code ?? 0
    self.shape = shape
    self.ordinal = ordinal
    layout = ContentLayout(
      rawByteCount: rawByteCount, rawBytesPerChunk: Layout.rawBytesPerChunk(unit: dtype?.unitByteCount ?? 1),
      dtype: dtype)
    digest = Digest(ofLeaves: [])
  }

  package var isSignature: Bool { kind == .record && name.utf8.starts(with: RecordName.signaturePrefix.utf8) }

  /// Entry order: by the bytes of the name, then by kind.
  package static func precedes(_ a: EntryRecord, _ b: EntryRecord) -> Bool {
    let names = compareBytes(a.name, b.name)
    return names != 0 ? names < 0 : a.kind.rawValue < b.kind.rawValue
  }

  /// Small files and records stand together, beside the index: one request to a server brings them all.
  package static let smallByteCount = 64 << 10

  /// The order of content in a new file: tensors, then what else is large, then what is small; each by ordinal.
  package func isStored(before other: EntryRecord) -> Bool { (stage, ordinal) < (other.stage, other.ordinal) }

  private var stage: Int {
    kind == .tensor ? 0 : layout.rawByteCount > EntryRecord.smallByteCount ? 1 : 2
  }

  /// The part of the weights and package digests that this entry gives. spec/kist-format.md, "Digests".
  package func append(toDigestInput writer: inout ByteWriter) {
    writer.u32(UInt32(name.utf8.count))
    writer.raw(name.utf8)
    writer.u8(kind.rawValue)
    writer.u16(dtypeCode)
    writer.u32(UInt32(shape.rank))
    for dimension in shape.dimensions { writer.u64(dimension) }
    writer.digest(digest)
  }

  package func append(to writer: inout ByteWriter, nameOffset: Int, firstDim: Int) {
    writer.u64(nameOffset)
    writer.u32(UInt32(name.utf8.count))
    writer.u8(kind.rawValue)
    writer.u8(layout.transform.rawValue)
    writer.u8(layout.codec.rawValue)
    writer.u8(UInt8(shape.rank))
    writer.u16(dtypeCode)
    writer.u16(UInt16(layout.chunksBlock))
    writer.u32(ordinal)
    writer.u32(UInt32(shape.rank == 0 ? 0 : firstDim))
    writer.u32(UInt32(layout.firstChunk))
    writer.u64(layout.rawByteCount)
    writer.u32(UInt32(layout.rawBytesPerChunk))
    writer.u32(UInt32(layout.chunkCount))
    writer.u64(layout.runOffset)
    writer.u64(0)
    writer.digest(digest)
  }
}

/// Names of Kist's own records.
package enum RecordName {
  package static let metadata = "kist:metadata"
  package static let provenance = "kist:provenance"
  package static let probes = "kist:probes"
  package static let tokenizer = "kist:tokenizer"
  package static let training = "kist:training"
  package static let signaturePrefix = "kist:signature/"
  package static let manifest = "kist:manifest"
  /// Before what follows `kist:` in the name of a record that is about a whole model, in a file that is a part of it.
  package static let heldPrefix = "kist:held/"
}

/// Below, at or above 0, as the bytes of `a` sort before, with or after those of `b`. Swift's own order of strings is another one.
package func compareBytes(_ a: String, _ b: String) -> Int {
  var a = a
  var b = b
  return a.withUTF8 { a in
    b.withUTF8 { b in unsafe compareBytes(UnsafeRawBufferPointer(a), UnsafeRawBufferPointer(b)) }
  }
}

package func compareBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
  guard let start = a.baseAddress, let other = b.baseAddress else { return a.count - b.count }
  let order = unsafe memcmp(start, other, min(a.count, b.count))
  return order != 0 ? Int(order) : a.count - b.count
}
