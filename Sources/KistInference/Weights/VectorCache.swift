import KistArchitectures
import Synchronization

/// Norms and biases, kept as f32 once they were read.
final class VectorCache: Sendable {
  private let values = Mutex<[TensorKey: [Float]]>([:])

  subscript(key: TensorKey) -> [Float]? {
    get { values.withLock { $0[key] } }
    set { values.withLock { $0[key] = newValue } }
  }
}
