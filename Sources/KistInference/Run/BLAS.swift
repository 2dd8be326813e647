import COpenBLAS
import KistCore

/// Matrix products by OpenBLAS, called by several of our threads with one of its own each.
package enum BLAS {
  /// What the library is called, by system; the first that is there is taken.
  #if os(macOS)
    static let libraryNames = [
      "libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
      "/usr/local/opt/openblas/lib/libopenblas.dylib",
    ]
    private static let advice = "`brew install openblas` gives it"
  #else
    static let libraryNames = ["libopenblas.so.0", "libopenblas.so"]
    private static let advice = "`apt install libopenblas0` (or dnf's openblas) gives it"
  #endif

  private static let loading = Result<Void, KistError> { () throws(KistError) in try load(libraryNames) }

  /// Loads the library, once; to be called before any product.
  ///
  /// - Throws: `missing` when it is not there.
  package static func prepare() throws(KistError) { try loading.get() }

  /// Loads the first of some libraries that is there.
  package static func load(_ names: [String]) throws(KistError) {
    var problems: [String] = []
    for name in names {
      guard let problem = unsafe kist_openblas_load(name) else { return }
      unsafe problems.append(String(cString: problem))
    }
    throw KistError(
      .missing, "OpenBLAS, which computes matrix products, can't be loaded: \(problems.first ?? "it has no name here")",
      advice: advice)
  }

  /// A matrix inside another: numbers, and the distance from row to row.
  @unsafe package struct Part {
    package var values: UnsafePointer<Float>
    package var stride: Int

    package init(values: UnsafePointer<Float>, stride: Int) {
      unsafe self.values = unsafe values
      unsafe self.stride = stride
    }
  }

  /// output = a · b + keeping · output; a: [rows, inner], b: [inner, columns].
  package static func multiply(
    _ a: Part, _ b: Part, rows: Int, columns: Int, inner: Int, scale: Float = 1, keeping: Float = 0,
    into output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    unsafe kist_sgemm(
      Int32(rows), Int32(columns), Int32(inner), scale, a.values, Int32(a.stride), b.values, Int32(b.stride), keeping,
      output, Int32(stride))
  }

  /// output = scale · a · bᵀ; a: [rows, inner], b: [columns, inner].
  package static func multiplyTransposed(
    _ a: Part, _ b: Part, rows: Int, columns: Int, inner: Int, scale: Float = 1,
    into output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    unsafe kist_sgemm_transposed(
      Int32(rows), Int32(columns), Int32(inner), scale, a.values, Int32(a.stride), b.values, Int32(b.stride), 0, output,
      Int32(stride))
  }

  /// output = scale · aᵀ · b + keeping · output; a: [inner, rows], b: [inner, columns].
  package static func multiplyFirstTransposed(
    _ a: Part, _ b: Part, rows: Int, columns: Int, inner: Int, scale: Float = 1, keeping: Float = 0,
    into output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    unsafe kist_sgemm_first_transposed(
      Int32(rows), Int32(columns), Int32(inner), scale, a.values, Int32(a.stride), b.values, Int32(b.stride), keeping,
      output, Int32(stride))
  }
}
