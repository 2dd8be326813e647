/// Colours of pictures and pages, for light and dark.
enum Palette {
  /// CSS variables: `ink` for text, `soft` for what matters less, `paper` and `panel` to write on, `line` for rules, `accent`
  /// for marks, `heat` (numbers of red, green and blue) for what grows.
  static let variables = """
    :root{color-scheme:light dark;--ink:#16191d;--soft:#565d66;--paper:#ffffff;--panel:#f3f5f8;--line:#d5dae1;\
    --accent:#1757b8;--heat:214,69,20;--second:#8a3ffc;--third:#0a7d55}
    @media(prefers-color-scheme:dark){:root{--ink:#e9ecf0;--soft:#a2abb6;--paper:#14171b;--panel:#1e2329;--line:#39414b;\
    --accent:#8ab8ff;--heat:255,120,60;--second:#c6a2ff;--third:#5fd3a5}}
    """

  static let font = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif"
}
