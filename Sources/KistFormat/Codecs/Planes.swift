import CKernels
import Foundation
import KistCore

/// The bytes of a chunk, sorted into planes. spec/kist-format.md, "Transforms".
package enum Planes {
  /// Splits whole units into planes, which follow one another.
  ///
  /// - Parameter planes: as many bytes as `raw`, overwritten.
  /// - Complexity: about 40 GB/s a core for components of 2 and 4 bytes, 12 GB/s for 8; 3 (IQ2_XXS) to 20 (Q6_K) for blocks.
  package static func split(
    _ raw: UnsafeRawBufferPointer, _ layout: PlaneLayout, into planes: UnsafeMutableRawBufferPointer
  ) {
    let count = raw.count / layout.unitByteCount
    guard count > 0, let units = raw.baseAddress, let planes = planes.baseAddress else { return }
    switch layout.transform {
    case .none: unsafe planes.copyMemory(from: units, byteCount: raw.count)
    case .planes, .floatPlanes:
      let rotation: Int32 = layout.transform == .floatPlanes ? 1 : 0
      unsafe kist_split_planes(units, count, Int32(layout.unitByteCount), rotation, planes)
    case .blockPlanes:
      let stride = layout.unitByteCount
      var offset = 0
      for field in layout.fields {
        unsafe kist_split_field(
          units + offset, count, stride, Int32(field.componentByteCount), field.componentCount, planes + offset * count)
        offset += field.byteCount
      }
    }
  }

  /// Undoes ``split(_:_:into:)``.
  package static func merge(
    _ planes: UnsafeRawBufferPointer, _ layout: PlaneLayout, into raw: UnsafeMutableRawBufferPointer
  ) {
    let count = planes.count / layout.unitByteCount
    guard count > 0, let units = raw.baseAddress, let source = planes.baseAddress else { return }
    switch layout.transform {
    case .none: unsafe units.copyMemory(from: source, byteCount: planes.count)
    case .planes, .floatPlanes:
      let rotation: Int32 = layout.transform == .floatPlanes ? 1 : 0
      unsafe kist_merge_planes(source, count, Int32(layout.unitByteCount), rotation, units)
    case .blockPlanes:
      let stride = layout.unitByteCount
      var offset = 0
      for field in layout.fields {
        unsafe kist_merge_field(
          source + offset * count, count, stride, Int32(field.componentByteCount), field.componentCount, units + offset)
        offset += field.byteCount
      }
    }
  }

  /// What the kernels of ``split(_:_:into:)`` compute, plainly. Tests compare the two.
  package static func plainSplit(_ raw: [UInt8], _ layout: PlaneLayout) -> [UInt8] {
    let count = raw.count / layout.unitByteCount
    var planes: [UInt8] = []
    var offset = 0
    for field in layout.fields {
      let width = field.componentByteCount
      for plane in 0..<width {
        for unit in 0..<count {
          for index in 0..<field.componentCount {
            let start = unit * layout.unitByteCount + offset + index * width
            let x = number(raw[start..<start + width], rotating: layout.transform == .floatPlanes)
            planes.append(UInt8(truncatingIfNeeded: x >> (8 * (width - 1 - plane))))
          }
        }
      }
      offset += field.byteCount
    }
    return planes
  }

  /// A little-endian number, perhaps rotated left by one bit.
  private static func number(_ bytes: ArraySlice<UInt8>, rotating: Bool) -> UInt64 {
    let x = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let bits = 8 * bytes.count
    return rotating ? (x << 1 | x >> (bits - 1)) & (.max >> (64 - bits)) : x
  }
}

/// How often each byte value occurs in a run.
package struct Histogram {
  private var counts = [UInt32](repeating: 0, count: 256)
  private var total = 0

  package init(_ bytes: UnsafeRawBufferPointer) {
    total = bytes.count
    unsafe counts.withUnsafeMutableBufferPointer { counts in
      unsafe kist_histogram(bytes.baseAddress, bytes.count, counts.baseAddress)
    }
  }

  /// Bytes that an ideal order-0 coder would need for a long run of which this is a sample.
  ///
  /// A sample's own entropy is too low by about (values − 1) / 2 nats: Miller, "Note on the bias of information estimates" (1955).
  package var entropyByteCount: Double {
    var bits = 0.0
    var valueCount = 0
    for count in counts where count > 0 {
      bits += Double(count) * log2(Double(total) / Double(count))
      valueCount += 1
    }
    return (bits + Double(valueCount - 1) / (2 * M_LN2)) / 8
  }
}
