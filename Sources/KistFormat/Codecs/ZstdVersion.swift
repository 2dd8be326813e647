import CZstd

/// The libzstd that packs: other versions may find other frames.
package enum ZstdVersion {
  package static let name = unsafe "zstd \(String(cString: ZSTD_versionString()))"
}
