/// This version of Kist.
public enum KistVersion {
  /// As `kist --version` prints it, and as verdicts name it.
  public static let name = "kist 0.1.0"
}
