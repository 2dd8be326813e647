import KistCore

/// Tokens that play a part, and which of them are put around a text.
struct GGUFSpecialIDs {
  /// What holds where the file says nothing.
  struct Defaults {
    var beginning: UInt32?
    var end: UInt32?
    var unknown: UInt32?
    var separator: UInt32?
    var addsBeginning: Bool
    var addsEnd = false
  }

  let beginning: UInt32?
  let end: UInt32?
  let unknown: UInt32?
  let separator: UInt32?
  private let addsBeginning: Bool
  private let addsEnd: Bool
  /// Of encoders, whose texts always stand between two tokens.
  private let isEncoder: Bool

  init(_ keys: GGUFTokenizerKeys, _ tokens: GGUFTokens, _ defaults: Defaults) throws(KistError) {
    /// An id that the vocabulary does not have is as if it were not there.
    func id(_ name: String, _ fallback: UInt32?) throws(KistError) -> UInt32? {
      let fallback = fallback.flatMap { $0 < tokens.texts.count ? $0 : nil }
      return try keys.id(name).flatMap { $0 < tokens.texts.count ? $0 : nil } ?? fallback
    }
    beginning = try id("bos_token_id", defaults.beginning)
    end = try id("eos_token_id", defaults.end)
    unknown = try id("unknown_token_id", defaults.unknown)
    separator = try id("seperator_token_id", defaults.separator)
    isEncoder = defaults.separator != nil
    let isForced = try keys.text("model") == "gemma4"
    addsBeginning = try keys.flag("add_bos_token") ?? defaults.addsBeginning || isForced || isEncoder
    addsEnd = try keys.flag("add_eos_token") ?? defaults.addsEnd
    guard !addsBeginning || beginning != nil else {
      throw keys.damage("bos_token_id", "is no token, and is to be added")
    }
    guard isEncoder || !addsEnd || end != nil else {
      throw keys.damage("eos_token_id", "is no token, and is to be added")
    }
    guard !isEncoder || separator != nil else { throw keys.damage("seperator_token_id", "is no token") }
  }

  /// Puts tokens before and after a text.
  func postProcessor(_ tokens: GGUFTokens) -> PostProcessor? {
    let first = addsBeginning ? beginning : nil
    let last = isEncoder ? separator : addsEnd ? end : nil
    guard first != nil || last != nil else { return nil }
    func special(_ id: UInt32?) -> [PostProcessor.TemplateItem] {
      guard let id else { return [] }
      return [.special(name: tokens.texts[Int(id)], ids: [id], typeID: 0)]
    }
    let single = special(first) + [.sequence(0, typeID: 0)] + special(last)
    return .template(single: single, pair: single + [.sequence(1, typeID: 0)] + special(last))
  }
}
