import KistArchitectures

extension ParameterStore {
  /// Begins anew, as transformers does: matrices and tables normal around 0, biases 0, norms 1.
  ///
  /// Where the family says so, matrices that end a branch begin smaller by the square root of the number of branches, so that the
  /// stream does not grow with the depth. Source: Radford et al. 2019, section 2.3.
  package func initialize(seed: UInt64, deviation: Double) {
    let branchCount = Double(2 * layout.model.layers.count)
    for (index, parameter) in layout.parameters.enumerated() {
      if !parameter.isMatrix {
        let isNormWeight = parameter.key.role.isNorm && parameter.key.part == .weight
        fill(parameter, with: isNormWeight ? 1 - parameter.addend : 0)
        continue
      }
      let endsBranch = parameter.key.role == .attentionOutput || parameter.key.role == .down
      let isScaled = endsBranch && layout.model.architecture.scalesInitialBranches
      var random = RandomNumbers(seed: seed, stream: UInt64(index) + 1)
      draw(parameter, isScaled ? deviation / branchCount.squareRoot() : deviation, &random)
    }
  }

  private func fill(_ parameter: ParameterLayout.Parameter, with value: Float) {
    unsafe values(of: parameter).update(repeating: value, count: parameter.count)
  }

  private func draw(_ parameter: ParameterLayout.Parameter, _ deviation: Double, _ random: inout RandomNumbers) {
    let numbers = unsafe values(of: parameter)
    for start in stride(from: 0, to: parameter.count, by: 2) {
      let (first, second) = random.normalPair()
      unsafe numbers[start] = Float(first * deviation)
      if start + 1 < parameter.count { unsafe numbers[start + 1] = Float(second * deviation) }
    }
  }
}
