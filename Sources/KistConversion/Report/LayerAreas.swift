/// What each layer takes, for a treemap: layers, and in them the kinds of tensors.
struct LayerAreas {
  /// A layer, or what belongs to none.
  struct Area {
    /// The tensors' common beginning, as `model.layers.3`.
    var name: String
    var parts: [Part]

    /// The name's last two parts: `layers.3`.
    var shortName: String { name.split(separator: ".").suffix(2).joined(separator: ".") }

    func size(_ measure: KeyPath<Part, Int>) -> Int { parts.reduce(0) { $0 + $1[keyPath: measure] } }
  }

  /// A tensor, or those of one kind: all experts' gates.
  struct Part {
    var name: String
    var kind: Kind
    var tensorCount: Int
    var elementCount: Int
    var storedByteCount: Int
  }

  /// What a tensor is for, by the words in its name; for colour only.
  enum Kind: String, CaseIterable {
    case attention, feedForward = "feed-forward", embedding = "embedding and head", other = "norms and others"

    init(_ name: String) {
      let name = name.lowercased()
      func has(_ words: [String]) -> Bool { words.contains { name.contains($0) } }
      if has(["norm", "ln_", ".bias", "layernorm"]) {
        self = .other
      } else if has(["attn", "attention", "q_proj", "k_proj", "v_proj", "o_proj", "query", "key", "value"]) {
        self = .attention
      } else if has(["mlp", "ffn", "feed_forward", "expert", "fc1", "fc2", "intermediate", "output.dense", "moe"]) {
        self = .feedForward
      } else if has(["embed", "wte", "wpe", "lm_head", "token_embd", "output.weight"]) {
        self = .embedding
      } else {
        self = .other
      }
    }
  }

  let areas: [Area]

  init(_ rows: [TensorRow]) {
    var order: [String] = []
    var parts: [String: [(key: String, part: Part)]] = [:]
    var places: [String: Int] = [:]
    for row in rows {
      let name = NumberedName(row.name)
      let area = name.numbers.first.map { name.literals[0] + "\($0)" } ?? "outside the layers"
      let own = name.numbers.isEmpty ? row.name : name.literals.dropFirst().joined(separator: "*")
      let key = area + "\u{0}" + own
      if parts[area] == nil { order.append(area) }
      if let place = places[key] {
        parts[area]?[place].part.tensorCount += 1
        parts[area]?[place].part.elementCount += row.elementCount
        parts[area]?[place].part.storedByteCount += row.storedByteCount
      } else {
        places[key] = parts[area, default: []].count
        let part = Part(
          name: own.hasPrefix(".") ? String(own.dropFirst()) : own, kind: Kind(row.name), tensorCount: 1,
          elementCount: row.elementCount, storedByteCount: row.storedByteCount)
        parts[area, default: []].append((key, part))
      }
    }
    areas = order.map { Area(name: $0, parts: (parts[$0] ?? []).map(\.part)) }
  }
}
