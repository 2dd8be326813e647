/// What encoding writes to, kept from piece to piece: one for each thread, and for one model only.
package struct BPEScratch: ~Copyable, @unchecked Sendable {
  var cache = PieceCache()
  var merging = MergeMemory()
  var symbols: [UInt32] = []

  package init() {}
}
