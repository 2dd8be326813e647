import Foundation
import KistCore

extension TextScore {
  /// The text with each token coloured by its loss.
  ///
  /// - Parameters:
  ///   - model: What to call the model.
  ///   - text: What to call the text.
  public func page(model: String, text name: String) -> HTMLPage {
    var tokens: [Markup] = []
    for token in self.tokens { tokens.append(Self.markup(token)) }
    return HTMLPage(
      title: "Loss of each token", subtitle: "\(name), by \(model)",
      content: [
        totals, Self.legend,
        .element(
          "div",
          [
            "id": "text", "tabindex": "0", "role": "group",
            "aria-label": "The text; the arrow keys move from token to token",
          ],
          tokens),
        .element("div", ["id": "says", "aria-live": "polite"], Self.hint),
      ], styles: Self.styles, script: Self.code)
  }

  private var totals: Markup {
    var rows = [
      ("Tokens", "\(Quantity.count(tokens.count)), \(Quantity.count(scoredCount)) of them scored"),
      ("Loss", "\(Quantity.decimal(loss, places: 4)) nats a token"),
      ("Perplexity", Quantity.decimal(perplexity, places: 3)),
    ]
    if let bitsPerByte { rows.append(("Bits per byte", Quantity.decimal(bitsPerByte, places: 4))) }
    return .element(
      "table", [:],
      rows.map { .element("tr", [:], [.element("th", ["scope": "row"], $0.0), .element("td", [:], $0.1)]) })
  }

  /// What the strongest colour stands for, in nats.
  private static let strongest = 8.0

  private static let legend = Markup.element(
    "p", ["class": "legend soft"],
    [.text("−log P(token):")]
      + [0.0, 1, 2, 4, 8].map { .element("span", ["class": "t", "style": style($0)], Quantity.decimal($0, places: 0)) }
      + [.text("nats")])

  private static func style(_ loss: Double) -> String {
    "--h:\(Quantity.decimal(min(max(loss.isFinite ? loss : strongest, 0), strongest) / strongest * 0.62, places: 2))"
  }

  private static func markup(_ token: Token) -> Markup {
    guard let loss = token.loss, let probability = token.probability, let best = token.best else {
      return .element("span", ["class": "t", "title": "'\(token.text)': not scored"], token.text)
    }
    var says = "'\(token.text)': \(Quantity.decimal(loss, places: 3)) nats, P \(Quantity.percentage(probability))"
    says += ", rank \(token.rank ?? 0)"
    if best.token != token.token { says += "; likeliest '\(best.text)' \(Quantity.percentage(best.probability))" }
    return .element("span", ["class": "t", "style": style(loss), "title": says], token.text)
  }

  private static let hint = "Choose a token, or move over the text with the arrow keys."

  private static let styles = """
    .legend{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center;margin:1rem 0}.legend .t{padding:0 .5rem;color:var(--ink)}
    #text{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.8;padding:.4rem;margin-bottom:5rem}
    .t{background:rgba(var(--heat),var(--h,0));border-radius:.2rem;cursor:default}
    .t.on{outline:2px solid var(--accent)}
    #says{position:fixed;left:0;right:0;bottom:0;padding:.6rem clamp(.8rem,3vw,2rem);background:var(--panel);\
    border-top:1px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere}
    """

  private static let code = """
    'use strict';
    const text = document.getElementById('text'), says = document.getElementById('says');
    let chosen = null;
    function choose(token) {
      if (!token) return;
      chosen?.classList.remove('on');
      chosen = token;
      token.classList.add('on');
      says.textContent = token.title;
      token.scrollIntoView({block: 'nearest'});
    }
    text.onclick = e => choose(e.target.closest('.t'));
    text.onkeydown = e => {
      const forward = {ArrowRight: true, ArrowDown: true, ArrowLeft: false, ArrowUp: false}[e.key];
      if (forward === undefined) return;
      e.preventDefault();
      choose(!chosen ? text.firstElementChild : forward ? chosen.nextElementSibling : chosen.previousElementSibling);
    };
    """
}
