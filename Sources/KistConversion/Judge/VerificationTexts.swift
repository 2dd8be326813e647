import KistCore
import KistInference
import KistTokenizers

/// Texts that models are compared on when nobody gives others.
public enum VerificationTexts {
  /// Prose, code, numbers and other scripts, so that much of a vocabulary has its say.
  static let texts = [
    "The quick brown fox jumps over the lazy dog, and then it sleeps until the sun comes up again.",
    "def mean(values):\n    return sum(values) / len(values)  # 3.14 + 2 = 5.14\n",
    "Größe, naïveté, 東京 и Москва: 1,234.5 €",
  ]

  /// The texts' tokens where the model has a tokenizer, and tokens from all over the vocabulary.
  ///
  /// Each is cut to what the model reaches.
  public static func tokens(for model: LoadedModel, tokenLimit: Int = 32) -> [(text: String?, tokens: [Int])] {
    let most = min(tokenLimit, model.model.mostTokens ?? tokenLimit)
    let size = model.model.vocabularySize
    var all: [(text: String?, tokens: [Int])] = []
    for text in texts {
      // A text that a small vocabulary can't hold is left out.
      guard let tokens = try? model.tokens(of: text), !tokens.isEmpty, tokens.allSatisfy({ $0 < size }) else {
        continue
      }
      all.append((text, Array(tokens.prefix(most))))
    }
    all.append((nil, scattered(size, count: min(24, most))))
    return all
  }

  /// The tokens that models are compared on: of a text, windows that the model reaches; of none, the usual prompts.
  public static func texts(for model: LoadedModel, of text: String?) throws(KistError) -> [[Int]] {
    guard let text else { return tokens(for: model).map(\.tokens) }
    let all = try model.tokens(of: text)
    let size = min(512, model.model.mostTokens ?? 512)
    let windows = Array(stride(from: 0, to: all.count, by: size).prefix(16))
    guard !windows.isEmpty else { throw KistError(.invalid, field: "--text", "is empty") }
    return windows.map { Array(all[$0..<min($0 + size, all.count)]) }
  }

  /// Tokens spread over a vocabulary, the same for every model of that size.
  static func scattered(_ vocabularySize: Int, count: Int) -> [Int] {
    // Multiples of the golden ratio fill an interval evenly. Source: Knuth, The Art of Computer Programming 3, 6.4.
    (1...count).map {
      Int((Double($0) * 0.618_033_988_749_894_9).truncatingRemainder(dividingBy: 1) * Double(vocabularySize))
    }
  }
}
