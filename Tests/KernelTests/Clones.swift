import KernelClones
import Testing

/// The kernels as compiled for one kind of processor, called with arrays. The element after the last that may be written
/// is checked to be left alone.
@safe struct Clone: CustomTestStringConvertible, @unchecked Sendable {
  let kernels: kist_kernel_clones

  /// What the program calls, and every clone that this machine can run.
  static let all: [Clone] = {
    var clones = unsafe [kist_kernel_clones](repeating: kist_kernel_clones(), count: 4)
    let count = unsafe kist_get_kernel_clones(&clones)
    return unsafe clones.prefix(count).map { unsafe Clone(kernels: $0) }
  }()

  var testDescription: String { unsafe String(cString: kernels.processor) }

  // What the kernels of one signature are called.
  enum InPlace { case silu, gelu, geluTanh, geluQuick, relu, reluSquared, tanh, sigmoid, softmax }
  enum WithNumber { case softCap, softmaxSink }
  enum Gated: CaseIterable { case silu, gelu, geluTanh }
  enum Rotary { case half, interleaved }
  enum Accumulating { case add, multiply }
  enum MatrixVector { case f32, bf16, f16, q8 }

  func apply(_ name: InPlace, _ values: [Float]) -> [Float] {
    let kernel =
      switch name {
      case .silu: unsafe kernels.silu
      case .gelu: unsafe kernels.gelu
      case .geluTanh: unsafe kernels.gelu_tanh
      case .geluQuick: unsafe kernels.gelu_quick
      case .relu: unsafe kernels.relu
      case .reluSquared: unsafe kernels.relu_squared
      case .tanh: unsafe kernels.tanh
      case .sigmoid: unsafe kernels.sigmoid
      case .softmax: unsafe kernels.softmax
      }
    return unsafe writing(values) { unsafe kernel?($0, values.count) }
  }

  func apply(_ name: WithNumber, _ values: [Float], _ number: Float) -> [Float] {
    let kernel =
      switch name {
      case .softCap: unsafe kernels.soft_cap
      case .softmaxSink: unsafe kernels.softmax_sink
      }
    return unsafe writing(values) { unsafe kernel?($0, values.count, number) }
  }

  /// Written over the gate, and elsewhere: both results.
  func apply(_ name: Gated, gate: [Float], up: [Float]) -> [[Float]] {
    let kernel =
      switch name {
      case .silu: unsafe kernels.silu_multiply
      case .gelu: unsafe kernels.gelu_multiply
      case .geluTanh: unsafe kernels.gelu_tanh_multiply
      }
    return unsafe [
      writing(gate) { unsafe kernel?($0, up, up.count, $0) },
      writing(up.map { _ in 7 }) { unsafe kernel?(gate, up, up.count, $0) },
    ]
  }

  func rotate(_ name: Rotary, _ head: [Float], _ cosines: [Float], _ sines: [Float]) -> [Float] {
    let kernel = unsafe name == .half ? kernels.rotate_half : kernels.rotate_interleaved
    return unsafe writing(head) { unsafe kernel?($0, cosines, sines, cosines.count) }
  }

  func accumulate(_ name: Accumulating, _ y: [Float], _ x: [Float]) -> [Float] {
    let kernel = unsafe name == .add ? kernels.add : kernels.multiply
    return unsafe writing(y) { unsafe kernel?($0, x, x.count) }
  }

  /// Adds the values to themselves, in place.
  func doubled(_ values: [Float]) -> [Float] {
    unsafe writing(values) { unsafe kernels.add($0, $0, values.count) }
  }

  func scaled(_ values: [Float], by scale: Float) -> [Float] {
    unsafe writing(values) { unsafe kernels.scale($0, scale, values.count) }
  }

  func addScaled(_ y: [Float], _ x: [Float], _ scale: Float) -> [Float] {
    unsafe writing(y) { unsafe kernels.add_scaled($0, x, scale, x.count) }
  }

  /// In place when there are no weights.
  func rmsNorm(_ x: [Float], _ weight: [Float]?, epsilon: Float) -> [Float] {
    guard let weight else { return unsafe writing(x) { unsafe kernels.rms_norm($0, nil, epsilon, x.count, $0) } }
    return unsafe writing(x.map { _ in 7 }) { unsafe kernels.rms_norm(x, weight, epsilon, x.count, $0) }
  }

  /// In place when there are no weights.
  func layerNorm(_ x: [Float], _ weight: [Float]?, _ bias: [Float]?, epsilon: Float) -> [Float] {
    guard let weight else {
      return unsafe writing(x) { unsafe kernels.layer_norm($0, nil, bias, epsilon, x.count, $0) }
    }
    return unsafe writing(x.map { _ in 7 }) { unsafe kernels.layer_norm(x, weight, bias, epsilon, x.count, $0) }
  }

  func logSumExp(_ x: [Float]) -> Float { unsafe kernels.log_sum_exp(x, x.count) }

  func dot(_ a: [Float], _ b: [Float]) -> Float { unsafe kernels.dot(a, b, a.count) }

  /// The rows lie at an odd address.
  func multiply(_ name: MatrixVector, rows: [UInt8], rowCount: Int, _ x: [Float]) -> [Float] {
    let kernel =
      switch name {
      case .f32: unsafe kernels.gemv_f32
      case .bf16: unsafe kernels.gemv_bf16
      case .f16: unsafe kernels.gemv_f16
      case .q8: unsafe kernels.gemv_q8_0
      }
    return unsafe ([0] + rows).withUnsafeBytes { bytes in
      let start = unsafe bytes.baseAddress.map { unsafe $0 + 1 }
      return unsafe writing([Float](repeating: 7, count: rowCount)) { unsafe kernel?(start, rowCount, x.count, x, $0) }
    }
  }

  /// The attention weights and the result; `slopes` and `sinks` are left out when empty.
  func attend(
    _ shape: kist_attention_shape, _ queries: [Float], _ keys: [Float], _ values: [Float], slopes: [Float],
    sinks: [Float]
  ) -> (weights: [Float], out: [Float]) {
    var shape = unsafe shape
    let (group, positions, size) = unsafe (shape.group, shape.positions, shape.value_size)
    var out: [Float] = []
    let weights = unsafe slopes.withUnsafeBufferPointer { slopePointer in
      unsafe sinks.withUnsafeBufferPointer { sinkPointer in
        unsafe shape.slopes = slopes.isEmpty ? nil : slopePointer.baseAddress
        unsafe shape.sinks = sinks.isEmpty ? nil : sinkPointer.baseAddress
        return unsafe writing([Float](repeating: 7, count: group * positions)) { scores in
          out = unsafe writing([Float](repeating: 7, count: group * size)) {
            unsafe kernels.attend(queries, keys, values, &shape, scores, $0)
          }
        }
      }
    }
    return (weights, out)
  }

  private func writing(_ initial: [Float], _ body: (UnsafeMutablePointer<Float>?) -> Void?) -> [Float] {
    var result = initial + [12345]
    _ = unsafe result.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress) }
    #expect(result.removeLast() == 12345)
    return result
  }
}
