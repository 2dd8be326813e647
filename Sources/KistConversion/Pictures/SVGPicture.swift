import Foundation
import KistCore

/// A drawing that needs nothing but itself.
public struct SVGPicture: Sendable {
  var title: String
  /// What can be seen, for who can't see it.
  var summary: String
  var width: Double
  var height: Double
  var content: [Markup]
  var styles = ""

  /// The document.
  package var text: String {
    let parts: [Markup] = [
      .element("title", [:], title), .element("desc", [:], summary),
      .style(Palette.variables + SVGPicture.rules + styles),
      .element("rect", ["class": "paper", "width": width.svg, "height": height.svg]),
    ]
    let root: Markup = .element(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 \(width.svg) \(height.svg)", "width": width.svg,
        "height": height.svg, "role": "img",
      ], parts + content)
    return Markup.document("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", root)
  }

  /// Writes the picture.
  ///
  /// - Throws: `conflict` when the target exists and is not to be replaced.
  public func write(to path: String, replacingExisting: Bool) throws(KistError) {
    try writeDocument(text, to: path, replacingExisting: replacingExisting)
  }

  private static let rules = """
    svg{max-width:100%;height:auto}text{font:13px \(Palette.font);fill:var(--ink)}.paper{fill:var(--paper)}
    .soft{fill:var(--soft)}.line{stroke:var(--line);fill:none}.mark{fill:var(--accent)}
    """
}

extension Double {
  /// As a coordinate: two decimals at most.
  var svg: String {
    guard isFinite else { return "0" }
    let rounded = (self * 100).rounded() / 100
    return rounded == rounded.rounded()
      ? String(format: "%.0f", rounded == 0 ? 0 : rounded) : String(format: "%g", rounded)
  }
}
