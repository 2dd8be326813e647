import Foundation
import KistCore

/// A fit as a file: what `kist scaling fit -o fit.json` writes and `predict` and `allocate` read.
extension ScalingFit: Codable {
  private enum Keys: String, CodingKey {
    case schema, form, formula, constants, runs, samples, undetermined
    case meanError = "mean_error"
  }

  private struct Constant: Codable {
    var name: String
    var value: Double
    var low: Double
    var high: Double
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(1, forKey: .schema)
    try container.encode(law.form, forKey: .form)
    try container.encode(law.form.formula, forKey: .formula)
    let constants = law.form.constantNames.enumerated().map { index, name in
      let interval = interval(ofConstant: index)
      return Constant(name: name, value: law.constants[index], low: interval.low, high: interval.high)
    }
    try container.encode(constants, forKey: .constants)
    try container.encode(runCount, forKey: .runs)
    try container.encode(meanError, forKey: .meanError)
    try container.encode(undetermined, forKey: .undetermined)
    try container.encode(samples.map(\.constants), forKey: .samples)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    let form = try container.decode(ScalingForm.self, forKey: .form)
    let constants = try container.decode([Constant].self, forKey: .constants).map(\.value)
    let samples = try container.decode([[Double]].self, forKey: .samples)
    let count = form.constantNames.count
    guard ([constants] + samples).allSatisfy({ $0.count == count && $0.allSatisfy { $0.isFinite && $0 >= 0 } }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .constants, in: container, debugDescription: "the form has \(count) constants that are not negative")
    }
    self.init(
      law: ScalingLaw(form, constants), samples: samples.map { ScalingLaw(form, $0) },
      runCount: try container.decode(Int.self, forKey: .runs),
      meanError: try container.decode(Double.self, forKey: .meanError),
      undetermined: try container.decodeIfPresent([Undetermined].self, forKey: .undetermined) ?? [])
  }

  /// Reads a file.
  ///
  /// - Throws: `damaged` when it is no fit.
  public init(path: String) throws(KistError) {
    let file = try MappedFile(path: path)
    let data = unsafe file.bytes.withUnsafeBytes { unsafe Data($0) }
    do { self = try JSONDecoder().decode(ScalingFit.self, from: data) } catch {
      throw KistError(
        .damaged, file: path, "is no fit of a scaling law", advice: "`kist scaling fit runs.csv -o fit.json` writes one"
      )
    }
  }

  /// The file's text.
  public func json() throws(KistError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n" } catch {
      throw KistError(.invalid, "the fit has constants that are no finite numbers: the runs do not tell them")
    }
  }
}
