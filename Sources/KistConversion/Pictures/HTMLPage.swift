import KistCore

/// A page that needs nothing but itself: styles and scripts are in it.
public struct HTMLPage: Sendable {
  var title: String
  /// A line below the title.
  var subtitle: String
  var content: [Markup]
  /// Rules beyond those that every page has.
  var styles = ""
  var script = ""

  /// The document.
  package var text: String {
    let head: [Markup] = [
      .element("meta", ["charset": "utf-8"]),
      .element("meta", ["name": "viewport", "content": "width=device-width,initial-scale=1"]),
      .element("meta", ["name": "color-scheme", "content": "light dark"]),
      .element("meta", ["name": "generator", "content": KistVersion.name]),
      // Nothing is fetched, whatever a model's files have in them.
      .element("meta", ["http-equiv": "Content-Security-Policy", "content": HTMLPage.policy]),
      .element("title", [:], "\(title) · \(subtitle)"), .style(Palette.variables + HTMLPage.rules + styles),
    ]
    let header: Markup = .element("header", [:], [.element("h1", [:], title), .element("p", [:], subtitle)])
    let body = [header, .element("main", [:], content)] + (script.isEmpty ? [] : [.script(script)])
    return Markup.document(
      "<!doctype html>\n", .element("html", ["lang": "en"], [.element("head", [:], head), .element("body", [:], body)]))
  }

  /// Writes the page.
  ///
  /// - Throws: `conflict` when the target exists and is not to be replaced.
  public func write(to path: String, replacingExisting: Bool) throws(KistError) {
    try writeDocument(text, to: path, replacingExisting: replacingExisting)
  }

  private static let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

  private static let rules = """
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 \(Palette.font)}
    header,main{max-width:72rem;margin:0 auto;padding:0 clamp(.8rem,3vw,2rem)}
    header{padding-top:1.4rem}main{padding-bottom:4rem}
    h1{font-size:1.6rem;line-height:1.2;margin:0}h2{font-size:1.15rem;margin:2rem 0 .6rem}
    header p{color:var(--soft);margin:.3rem 0 1rem;overflow-wrap:anywhere}
    table{border-collapse:collapse;font-variant-numeric:tabular-nums}
    th,td{padding:.2rem .9rem .2rem 0;text-align:left;vertical-align:top}th{font-weight:600;white-space:nowrap}
    td.n,th.n{text-align:right}.soft{color:var(--soft)}
    .scroll{overflow-x:auto}
    code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em}
    button,select,input{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:.4rem;\
    padding:.25rem .6rem}
    :focus-visible{outline:2px solid var(--accent);outline-offset:2px}
    @media print{.controls{display:none}}
    """
}

func writeDocument(_ text: String, to path: String, replacingExisting: Bool) throws(KistError) {
  if !replacingExisting { try requireAbsent(path) }
  let target = try NewFile(target: path)
  try target.output.write(Array(text.utf8), at: 0)
  try target.commit(replacing: replacingExisting)
}
