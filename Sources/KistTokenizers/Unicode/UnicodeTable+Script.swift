extension UnicodeTable {
  private static let scriptMap = ScalarMap(PackedRuns(scriptRuns), beyond: 0)

  /// The long name of a scalar's script: `Latin`, `Han`, `Common`.
  package static func scriptName(of scalar: UInt32) -> String {
    let index = Int(scriptMap[scalar])
    return index < scriptLongNames.count ? scriptLongNames[index] : ""
  }
}
