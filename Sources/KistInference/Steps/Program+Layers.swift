import KistArchitectures

extension Program {
  /// The steps of an attention branch.
  mutating func attend(_ attention: AttentionDescription, from: Slot, to: Slot, layer: Int) {
    if let latent = attention.latent {
      latentQueryKeyValue(attention, latent, from: from, layer: layer)
    } else {
      linear("query", .query, from: from, to: .query, layer: layer)
      linear("key", .key, from: from, to: .key, layer: layer)
      linear("value", .value, from: from, to: .value, layer: layer)
      if let clip = attention.clip {
        for slot in [Slot.query, .key, .value] {
          add("\(slot.rawValue)_clip", .clip(clip), [slot], slot, [], layer: layer)
        }
      }
      queryKeyNorms(attention, layer: layer)
      rotate(attention, .query, attention.headCount, layer: layer)
      rotate(attention, .key, attention.keyValueHeadCount, layer: layer)
    }
    let sinks = attention.hasSinks ? [TensorKey(.attentionSinks, layer: layer)] : []
    add("attention", .attend(attention), [.query, .key, .value], .attended, sinks, layer: layer)
    linear("attention_output", .attentionOutput, from: .attended, to: to, layer: layer)
  }

  private mutating func queryKeyNorms(_ attention: AttentionDescription, layer: Int) {
    let part: NormPart
    switch attention.queryKeyNorm {
    case .none: return
    case .whole: part = .row
    case .head: part = .heads(size: attention.headSize)
    case .eachHead: part = .eachHead(size: attention.headSize)
    }
    for (slot, role) in [(Slot.query, TensorRole.queryNorm), (.key, .keyNorm)] {
      norm(role.rawValue, role, attention.queryKeyNormKind, from: slot, to: slot, layer: layer, part: part)
    }
  }

  private mutating func rotate(_ attention: AttentionDescription, _ slot: Slot, _ heads: Int, layer: Int) {
    guard let rotary = attention.rotary else { return }
    let layout = HeadLayout(count: heads, stride: attention.headSize, offset: 0)
    add(
      "\(slot.rawValue)_rotary", .rotate(table: table(of: rotary), pairs: rotary.pairs, heads: layout), [slot], slot,
      [],
      layer: layer)
  }

  /// Queries, keys and values that come through a low rank. Source: transformers 5.23, modeling_deepseek_v3.py.
  private mutating func latentQueryKeyValue(
    _ attention: AttentionDescription, _ latent: LatentDescription, from: Slot, layer: Int
  ) {
    if latent.queryRank == nil {
      linear("query", .query, from: from, to: .query, layer: layer)
    } else {
      linear("query_down", .queryDown, from: from, to: .queryRank, layer: layer)
      norm(
        "query_down_norm", .queryDownNorm, .rms, from: .queryRank, to: .queryRank, layer: layer,
        epsilon: latent.normEpsilon)
      linear("query_up", .queryUp, from: .queryRank, to: .query, layer: layer)
    }
    linear("key_value_down", .keyValueDown, from: from, to: .keyValueRank, layer: layer)
    add("compressed", .takeRank(latent.keyValueRank), [.keyValueRank], .compressed, [], layer: layer)
    norm(
      "key_value_down_norm", .keyValueDownNorm, .rms, from: .compressed, to: .compressed, layer: layer,
      epsilon: latent.normEpsilon)
    linear("key_value_up", .keyValueUp, from: .compressed, to: .keyValueParts, layer: layer)
    if let rotary = attention.rotary {
      let table = table(of: rotary)
      let queries = HeadLayout(count: attention.headCount, stride: attention.headSize, offset: latent.plainSize)
      let shared = HeadLayout(count: 1, stride: 0, offset: latent.keyValueRank)
      add(
        "query_rotary", .rotate(table: table, pairs: rotary.pairs, heads: queries), [.query], .query, [], layer: layer)
      add(
        "key_rotary", .rotate(table: table, pairs: rotary.pairs, heads: shared), [.keyValueRank], .keyValueRank, [],
        layer: layer)
    }
    add("key", .latentKeys(attention), [.keyValueParts, .keyValueRank], .key, [], layer: layer)
    add("value", .latentValues(attention), [.keyValueParts], .value, [], layer: layer)
  }

  /// The steps of a feed-forward branch.
  mutating func feed(_ feedForward: FeedForwardDescription, from: Slot, to: Slot, layer: Int) {
    guard let experts = feedForward.experts else {
      if feedForward.isGated {
        linear("gate", .gate, from: from, to: .gate, layer: layer)
        linear("up", .up, from: from, to: .up, layer: layer)
        add("activation", .gate(feedForward.activation), [.gate, .up], .gate, [], layer: layer)
      } else {
        linear("up", .up, from: from, to: .gate, layer: layer)
        add("activation", .activate(feedForward.activation), [.gate], .gate, [], layer: layer)
      }
      linear("down", .down, from: .gate, to: to, layer: layer)
      return
    }
    linear("router", .router, from: from, to: .routing, layer: layer)
    let correction = experts.hasCorrection ? [TensorKey(.routerCorrection, .bias, layer: layer)] : []
    add("routing", .route(experts), [.routing], .routing, correction, layer: layer)
    let keys = (0..<experts.count).flatMap { expert in
      [TensorRole.expertGate, .expertUp, .expertDown].flatMap { role in
        let key = TensorKey(role, layer: layer, expert: expert)
        return model.hasBias(role) ? [key, key.bias] : [key]
      }
    }
    add("experts", .experts(experts, feedForward), [from, .routing], to, keys, layer: layer)
    if experts.sharedSize != nil { sharedExpert(experts, feedForward, from: from, to: to, layer: layer) }
  }

  private mutating func sharedExpert(
    _ experts: ExpertsDescription, _ feedForward: FeedForwardDescription, from: Slot, to: Slot, layer: Int
  ) {
    linear("shared_gate", .sharedExpertGate, from: from, to: .sharedGate, layer: layer)
    linear("shared_up", .sharedExpertUp, from: from, to: .sharedUp, layer: layer)
    add("shared_activation", .gate(feedForward.activation), [.sharedGate, .sharedUp], .sharedGate, [], layer: layer)
    linear("shared_down", .sharedExpertDown, from: .sharedGate, to: .sharedUp, layer: layer)
    guard experts.gatesShared else {
      return add("shared_expert", .add(scale: 1), [to, .sharedUp], to, [], layer: layer)
    }
    linear("shared_switch", .sharedExpertSwitch, from: from, to: .sharedSwitch, layer: layer)
    add("shared_expert", .addSwitched, [to, .sharedUp, .sharedSwitch], to, [], layer: layer)
  }
}
