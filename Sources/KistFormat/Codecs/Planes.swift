import CKernels
import Foundation
import KistCore

/// The bytes of a chunk, sorted into planes. spec/kist-format.md, "Transforms".
package enum Planes {
  /// Splits a chunk into `width` planes, most significant bytes first.
  ///
  /// - Parameters:
  ///   - raw: components of `width` bytes.
  ///   - planes: as many bytes, overwritten.
  /// - Complexity: about 40 GB/s a core for 2 and 4 bytes, 12 GB/s for 8.
  package static func split(
    _ raw: UnsafeRawBufferPointer, width: Int, rotating: Bool, into planes: UnsafeMutableRawBufferPointer
  ) {
    unsafe kist_split_planes(
      raw.baseAddress, raw.count / width, Int32(width), rotating ? 1 : 0, planes.baseAddress)
  }

  /// Undoes ``split(_:width:rotating:into:)``.
  package static func merge(
    _ planes: UnsafeRawBufferPointer, width: Int, rotating: Bool, into raw: UnsafeMutableRawBufferPointer
  ) {
    unsafe kist_merge_planes(
      planes.baseAddress, planes.count / width, Int32(width), rotating ? 1 : 0, raw.baseAddress)
  }

  /// What the kernel of ``split(_:width:rotating:into:)`` computes, plainly. Tests compare the two.
  package static func plainSplit(_ raw: [UInt8], width: Int, rotating: Bool) -> [UInt8] {
    let count = raw.count / width
    var planes = [UInt8](repeating: 0, count: raw.count)
    for index in 0..<count {
      var x: UInt64 = 0
      for byte in 0..<width { x |= UInt64(raw[index * width + byte]) << (8 * byte) }
      let bits = 8 * width
      if rotating {
        let mask = bits == 64 ? UInt64.max : 1 << bits - 1
        x = (x << 1 | x >> (bits - 1)) & mask
      }
      for plane in 0..<width { planes[plane * count + index] = UInt8(truncatingIfNeeded: x >> (bits - 8 - 8 * plane)) }
    }
    return planes
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
