import Foundation
import KistCore

extension AttentionMaps {
  /// All weights on a page: choose a layer and a head, then a token, and see what it looks at.
  ///
  /// - Parameter model: What to call the model.
  /// - Throws: `invalid` when there are too many weights for a page.
  public func page(model: String) throws(KistError) -> HTMLPage {
    // Two bytes a weight.
    guard weights.count <= 1 << 24 else {
      throw KistError(
        .invalid, field: "text", "\(Quantity.count(weights.count)) weights are too many for a page",
        advice: "take a shorter text, one layer with --layer, or write a .npy file")
    }
    let counts =
      "\(layers.count) \(layers.count == 1 ? "layer" : "layers") of \(headCount) heads over \(tokenCount) tokens"
    return HTMLPage(
      title: "Attention", subtitle: "\(model): \(counts)",
      content: [
        .element("p", ["class": "soft"], Self.explanation), Self.controls, Self.sentence, Self.map,
        .element("h2", [:], "Every head"), .element("div", ["id": "all"]), .data(id: "data", json: data),
        .element("noscript", [:], "This page draws with JavaScript; `kist attention -o file.npy` gives the numbers."),
      ], styles: Self.styles, script: Self.code)
  }

  private static let explanation = """
    softmax(Q·Kᵀ ÷ √d): how much of each token's value goes into another's, for each head of each layer. A row is a \
    token that looks, a column one that is looked at; each row sums to 1. Choose a token to see its row; the arrow keys move \
    from token to token, and over the map.
    """

  private static let controls = Markup.element(
    "div", ["class": "controls"],
    [
      .element("label", [:], [.text("Layer "), .element("select", ["id": "layer"])]),
      .element("label", [:], [.text("Head "), .element("select", ["id": "head"])]),
    ])

  private static let sentence = Markup.element(
    "div", ["id": "sentence", "role": "listbox", "aria-label": "Tokens of the text", "tabindex": "0"])

  private static let map = Markup.element(
    "div", [:],
    [
      .element("p", ["id": "says", "aria-live": "polite"]),
      .element(
        "div", ["class": "scroll"],
        [
          .element(
            "canvas", ["id": "map", "tabindex": "0", "role": "img", "aria-label": "Heat map of the head's weights"])
        ]),
    ])

  private var data: String {
    var list = JSONText()
    list.array(labels) { $0.string($1) }
    // Little-endian u16, of 65535 for a weight of 1.
    let bytes = weights.flatMap { weight -> [UInt8] in
      let level = UInt16((min(max(weight.isFinite ? weight : 0, 0), 1) * 65535).rounded())
      return [UInt8(truncatingIfNeeded: level), UInt8(level >> 8)]
    }
    return
      "{\"labels\":\(String(decoding: list.bytes, as: UTF8.self)),\"layers\":\(Array(layers)),\"heads\":\(headCount),"
      + "\"weights\":\"\(Data(bytes).base64EncodedString())\"}"
  }

  private static let styles = """
    .controls{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0}
    #sentence{display:flex;flex-wrap:wrap;gap:.25rem;margin:.6rem 0}
    #sentence span{padding:.1rem .45rem;border:1px solid var(--line);border-radius:.35rem;cursor:pointer;white-space:pre}
    #sentence [aria-selected=true]{outline:2px solid var(--accent);outline-offset:1px}
    #says{min-height:1.5em;margin:.6rem 0}
    canvas{display:block}
    #all{display:grid;gap:.5rem}
    .layer{display:flex;align-items:flex-start;gap:.5rem}.layer>span{flex:none;width:4.5rem;padding-top:.3rem}
    .layer>div{display:flex;flex-wrap:wrap;gap:.35rem}
    .layer button{padding:2px;line-height:0;border-radius:.3rem;cursor:pointer}
    .layer button[aria-pressed=true]{border-color:var(--accent);outline:2px solid var(--accent)}
    """
}
