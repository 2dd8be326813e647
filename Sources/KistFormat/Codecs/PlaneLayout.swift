import KistCore

/// What the planes of a chunk hold: spec/kist-format.md, "Transforms".
///
/// A chunk is a run of units, and a unit a row of fields: arrays of numbers. Each field gives a plane for each byte of its numbers.
///
/// ```
/// none           the unit is a byte                                      1 plane
/// planes         it is a component, which is the one field               a plane for each of its bytes
/// float planes   likewise, and components are rotated left by one bit
/// block planes   it is a block                                           a plane for each byte of each field's components
/// ```
package struct PlaneLayout: Sendable, Hashable {
  package let transform: Transform
  package let fields: [BlockField]

  package init(_ transform: Transform, _ dtype: DType?) {
    self.transform = transform
    switch transform {
    case .none: fields = PlaneLayout.byte
    case .planes, .floatPlanes:
      fields = [BlockField(componentByteCount: dtype?.componentByteCount ?? 1, componentCount: 1)]
    case .blockPlanes: fields = dtype?.blockFields ?? PlaneLayout.byte
    }
  }

  private static let byte = [BlockField(componentByteCount: 1, componentCount: 1)]

  /// Bytes of what is taken apart.
  package var unitByteCount: Int { fields.reduce(0) { $0 + $1.byteCount } }

  package var planeCount: Int { fields.reduce(0) { $0 + $1.componentByteCount } }

  /// For each plane, the bytes that it has of a unit.
  package var planeWidths: [Int] {
    fields.flatMap { repeatElement($0.componentCount, count: $0.componentByteCount) }
  }
}
