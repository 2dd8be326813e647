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
    let kist = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/kist"
    let copying = try runChild("/bin/sh", ["-c", "cp \(source) \(folder)/copy && sync \(folder)/copy"])
    try FileManager.default.removeItem(atPath: folder + "/copy")
    row("", "pace", "peak memory", "against cp")
    row("cp, synced", gigabytesPerSecond(byteCount, copying.seconds), "", "")
    for packing in [Packing.none, .auto] {
      let target = folder + "/model-\(packing).kist"
      let run = try runChild(
        kist, ["convert", source, "-o", target, "--pack", "\(packing)", "--threads", "\(options.threads)", "--quiet"])
      row(
        "safetensors → kist, --pack \(packing)", gigabytesPerSecond(byteCount, run.seconds),
        "\(run.peakByteCount >> 20) MiB", times(copying.seconds / run.seconds))
      let back = folder + "/back.safetensors"
      let returning = try runChild(kist, ["convert", target, "-o", back, "--threads", "\(options.threads)", "--quiet"])
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

/// Writes a checkpoint of tensors of 64 MiB whose values are like weights; no two chunks are equal.
private func writeSynthetic(_ path: String, gigabytes: Int) throws -> Int {
  let tensorByteCount = 64 << 20
  let count = (gigabytes * 1_000_000_000 + tensorByteCount - 1) / tensorByteCount
  let tensors = (0..<count).map { number in
    SafetensorsHeader.Description(
      name: "model.layers.\(number).mlp.up_proj.weight", dtype: .bf16, shape: [8192, 4096])
  }
  let layout = try SafetensorsHeader.layOut(tensors, metadata: [.init(key: "format", value: "pt")])
  // Each tensor is another window of one pool of numbers.
  let pool = unsafe syntheticPool(tensorByteCount + count * 4098)
  let file = try NewFile(target: path)
  try file.output.write(layout.bytes, at: 0)
  for (index, place) in layout.order.enumerated() {
    let start = index * 4098
    unsafe try file.output.write(
      UnsafeRawBufferPointer(rebasing: pool[start..<start + place.range.count]), at: place.range.lowerBound)
  }
  unsafe pool.deallocate()
  try file.commit(replacing: false)
  return layout.fileByteCount
}

/// Sums of uniform numbers, cut to bf16: near enough to normal for an entropy coder.
private func syntheticPool(_ byteCount: Int) -> UnsafeRawBufferPointer {
  let pool = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
  var state: UInt64 = 1
  for index in 0..<byteCount / 2 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let x = state ^ state >> 29
    let sum = Int32(x & 0xFFFF) + Int32(x >> 16 & 0xFFFF) + Int32(x >> 32 & 0xFFFF) + Int32(x >> 48) - 131_070
    let value = Float(sum) * 6e-7
    unsafe pool.storeBytes(
      of: UInt16(truncatingIfNeeded: value.bitPattern >> 16), toByteOffset: 2 * index, as: UInt16.self)
  }
  return UnsafeRawBufferPointer(pool)
}
