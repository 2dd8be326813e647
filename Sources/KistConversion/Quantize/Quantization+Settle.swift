import KistCore
import KistFormat
import KistQuantization

/// The tensors' types: as given, or as a goal asks for.
struct Settled {
  var plans: [TensorPlan]
  var scheme: QuantizationScheme
  /// What was asked for, as the target will say it.
  var name: String
  var prediction: MixturePrediction?
  /// What the source computes, where that had to be known.
  var probes: [UInt8]?

  private static let chosenName = "chosen types"

  init(
    _ planner: inout QuantizationPlanner, _ importance: NamedImportance?, _ format: Checkpoint.Format,
    _ progress: any ProgressObserver
  ) throws(KistError) {
    switch planner.options.goal {
    case .scheme(let scheme):
      plans = try planner.plans(scheme)
      self.scheme = scheme
      name = scheme.name
    case .types(let chosen):
      plans = try planner.plans(as: chosen)
      scheme = QuantizationScheme(name: chosen.name) ?? .custom(by: plans)
      name = chosen.name
      prediction = chosen.prediction
    case .size(let limit):
      let chooser = try Settled.chooser(planner, format, progress)
      let choice: MixtureChoice
      if format == .kist {
        if chooser.isMeasured { probes = try planner.probes() }
        choice = try Settled.fit(chooser, planner, importance, probes, progress).choice(ofAtMost: limit)
      } else {
        choice = try chooser.choice(ofAtMost: limit)
      }
      (plans, prediction) = (try planner.plans(of: choice.wanted), choice.prediction)
      (scheme, name) = (.custom(by: plans), Settled.chosenName)
    case .divergence(let limit):
      let choice = try Settled.chooser(planner, format, progress).choice(divergingAtMost: limit)
      (plans, prediction) = (try planner.plans(of: choice.wanted), choice.prediction)
      (scheme, name) = (.custom(by: plans), Settled.chosenName)
    }
    guard let prediction, prediction.divergence == nil else { return }
    planner.notices.append(
      "types were chosen by the errors of weights alone: what each tensor does to the logits was not measured "
        + "(--measure does it)")
  }

  private static func chooser(
    _ planner: QuantizationPlanner, _ format: Checkpoint.Format, _ progress: any ProgressObserver
  ) throws(KistError) -> MixtureChooser {
    guard planner.options.conversion.part == nil else {
      throw KistError(
        .invalid, file: planner.source.path, "choosing types needs the whole model, and this is to be a part of it",
        advice:
          "choose them once, with --dry-run --json and without --part, and give that file to all parts with --types")
    }
    return try MixtureChooser(
      planner, otherByteCount: planner.source.byteCountBesideTensors(in: format, planner.options.conversion),
      progress: progress)
  }

  /// Packs choices as they would be written.
  private static func fit(
    _ chooser: MixtureChooser, _ planner: QuantizationPlanner, _ importance: NamedImportance?, _ probes: [UInt8]?,
    _ progress: any ProgressObserver
  ) -> MixtureFit {
    let (source, options) = (planner.source, planner.options.conversion)
    let places = Dictionary(
      source.tensors.enumerated().map { (Array($1.name.utf8), $0) }, uniquingKeysWith: { first, _ in first })
    return MixtureFit(chooser: chooser) { choice throws(KistError) in
      var planner = planner
      let plans = try planner.plans(of: choice.wanted)
      let result = try source.quantized(plans, .custom(by: plans), name: chosenName, importance)
      let packed = try Conversion(result, target: source.path, .kist, options).packedSize(later: probes, progress)
      var tensors = source.tensors.map { _ in 0 }
      for (tensor, size) in zip(result.tensors, packed.entries) {
        if let place = places[Array(tensor.name.utf8)] { tensors[place] = size }
      }
      let bound = probes == nil && options.probes != .none ? source.mostProbeBytes : 0
      return (packed.byteCount + bound, tensors)
    }
  }
}

extension QuantizationPlanner {
  /// What a container is to say that its source computes; nil when it is to say nothing, or that can't be had, which no choice depends on.
  fileprivate func probes() throws(KistError) -> [UInt8]? {
    do throws(KistError) { return try options.probes(of: source) } catch {
      guard error.kind != .interrupted else { throw error }
      return nil
    }
  }
}

extension Conversion {
  /// What the container takes, with a record of probes that comes after.
  fileprivate func packedSize(
    later probes: [UInt8]?, _ progress: any ProgressObserver
  ) throws(KistError) -> PackedSize {
    var outcome = Outcome(byteCount: 0, notices: [])
    let entries = try packedTensors(tensors.indices) + otherEntries(&outcome)
    progress.begin("Sizing", total: tensors.reduce(0) { $0 + $1.byteCount })
    defer { progress.end() }
    return try PackedSize(
      of: entries, later: probes.map { .record(RecordName.probes, $0) },
      options: WriterOptions(packing: options.packing, parallelism: options.parallelism, progress: progress))
  }
}

extension Checkpoint {
  /// Most bytes that a target has beside its tensors.
  fileprivate func byteCountBesideTensors(in format: Format, _ options: ConversionOptions) -> Int {
    let headers = weightFiles.reduce(0) { $0 + $1.source.byteCount } + 4096
    guard format == .kist else { return headers + 64 * tensors.count }
    var conversion = Conversion(self, target: path, format, options).neededByteCount
    conversion -= tensors.reduce(0) { $0 + $1.byteCount }
    let probes = options.probes == .none ? 0 : mostProbeBytes
    var tokenizer = 0
    if case .compiled(let record) = CompiledTokenizer.compile(tokenizerFiles) { tokenizer = record.count + 4096 }
    // Raw runs begin at multiples of a page.
    let padding = tensors.reduce(0) { $0 + Layout.runAlignment(kind: .tensor, byteCount: $1.byteCount) }
    return conversion + (provenanceFormat == .gguf ? headers : 0) + probes + tokenizer + padding
  }

  /// Most bytes that probes add to a container: whole logits, the best of all positions, and the index once more.
  fileprivate var mostProbeBytes: Int {
    let vocabulary = tensors.lazy.filter { $0.shape.rank == 2 }.map { $0.shape[0] }.max() ?? 0
    return 4 * (3 * 4 * vocabulary + 32 * 64 * 12) + 256 * (tensors.count + assets.count) + 8192
  }
}

extension QuantizationScheme {
  /// The mixture whose usual type most of a chosen one's bytes are.
  static func custom(by plans: [TensorPlan]) -> QuantizationScheme {
    var bytes: [DType: Int] = [:]
    for plan in plans where plan.isChanged {
      if let type = plan.type { bytes[type, default: 0] += plan.result.byteCount }
    }
    let most = bytes.max { ($0.value, $1.key.code) < ($1.value, $0.key.code) }?.key
    let mixture = Mixture.allCases.last { $0.defaultType == most }
    return mixture.map { .mixture($0) } ?? .uniform(most ?? .f32)
  }
}
