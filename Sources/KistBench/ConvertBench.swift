import Foundation
import KistCheckpoints
import KistConversion
import KistCore
import KistFormat

/// Converting a large checkpoint by the command, as a user does: pace against `cp`, and peak memory.
func convertBench(_ options: BenchOptions, gigabytes: Int) throws {
  print("\nConverting a synthetic bf16 checkpoint of \(gigabytes) GB with `kist convert` (\(options.threads) threads)")
  try withTemporaryFolder(in: options.folder) { folder in
    let source = folder + "/model.safetensors"
    let byteCount = try writeSynthetic(source, gigabytes: gigabytes)
    let copying = try runChild("/bin/sh", ["-c", "cp \(source) \(folder)/copy && sync \(folder)/copy"])
    try FileManager.default.removeItem(atPath: folder + "/copy")
    row("", "pace", "peak memory", "against cp")
    row("cp, synced", gigabytesPerSecond(byteCount, copying.seconds), "", "")
    for packing in [Packing.none, .auto] {
      let target = folder + "/model-\(packing).kist"
      let run = try runChild(
        kistCommand,
        ["convert", source, "-o", target, "--pack", "\(packing)", "--threads", "\(options.threads)", "--quiet"])
      row(
        "safetensors → kist, --pack \(packing)", gigabytesPerSecond(byteCount, run.seconds),
        "\(run.peakByteCount >> 20) MiB", times(copying.seconds / run.seconds))
      let back = folder + "/back.safetensors"
      let returning = try runChild(
        kistCommand, ["convert", target, "-o", back, "--threads", "\(options.threads)", "--quiet"])
      row(
        "kist → safetensors", gigabytesPerSecond(byteCount, returning.seconds), "\(returning.peakByteCount >> 20) MiB",
        times(copying.seconds / returning.seconds))
      _ = try runChild("/usr/bin/cmp", [source, back])
      try FileManager.default.removeItem(atPath: back)
      try FileManager.default.removeItem(atPath: target)
    }
  }
}

/// Changing one value of a large container.
func editBench(_ options: BenchOptions, gigabytes: Int) throws {
  print("\nChanging one metadata value in a container of \(gigabytes) GB")
  try withTemporaryFolder(in: options.folder) { folder in
    let source = folder + "/model.safetensors"
    _ = try writeSynthetic(source, gigabytes: gigabytes)
    let target = folder + "/model.kist"
    _ = try Conversion.plan(source: source, target: target, options: ConversionOptions(packing: .none)).run(
      progress: NoProgress())
    let tensorCount = try KistFile(path: target).tensors.count
    var written = 0
    var number = 0
    let seconds = try best(of: options.runs) {
      number += 1
      let editor = try KistEditor(path: target)
      var metadata = Metadata()
      metadata["general.version"] = .string("\(number)")
      editor.put(metadata: metadata)
      written = try editor.commit().writtenByteCount
    }
    row("one value, \(tensorCount) tensors", milliseconds(seconds), "\(written) bytes", "")
  }
}

/// Writes a checkpoint of tensors of 64 MiB.
private func writeSynthetic(_ path: String, gigabytes: Int) throws -> Int {
  let count = (gigabytes * 1_000_000_000 + (64 << 20) - 1) / (64 << 20)
  return try writeSynthetic(
    path,
    (0..<count).map { number in
      .init(name: "model.layers.\(number).mlp.up_proj.weight", dtype: .bf16, shape: [8192, 4096])
    })
}
