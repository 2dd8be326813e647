import ArgumentParser
import Foundation
import KistCore
import KistQuantization

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Quantizing and dequantizing block types, against llama-quantize and memcpy.")
  @OptionGroup var options: BenchOptions
  @Option(help: "llama.cpp's llama-quantize.") var llamaQuantize: String?
  @Option(help: "Numbers to quantize, in millions.") var millions = 16
  func run() throws { try quantizeBench(options, llamaQuantize: llamaQuantize, millions: millions) }
}

/// Rows that a thread quantizes at a time: 128 KiB of f32.
private enum Tile {
  static let columns = 2048
  static let rows = 16
  static let count = columns * rows
}

/// Types with what llama-quantize calls a file that has only them.
private let types: [(DType, String)] = [
  (.q8_0, "Q8_0"), (.q4_0, "Q4_0"), (.q4_1, "Q4_1"), (.q5_0, "Q5_0"), (.q5_1, "Q5_1"), (.q2_k, "Q2_K"),
  (.q3_k, "Q3_K_S"), (.q4_k, "Q4_K_S"), (.q5_k, "Q5_K_S"), (.q6_k, "Q6_K"), (.iq4_nl, "IQ4_NL"), (.iq4_xs, "IQ4_XS"),
  (.iq3_s, "IQ3_S"), (.iq3_xxs, "IQ3_XXS"), (.iq2_s, "IQ2_M"), (.iq1_m, "IQ1_M"), (.tq1_0, "TQ1_0"), (.tq2_0, "TQ2_0"),
]

/// Numbers go from memory to memory here; llama-quantize also reads and writes files, with `--pure`, which costs it about
/// 1 ns a number.
func quantizeBench(_ options: BenchOptions, llamaQuantize: String?, millions: Int) throws {
  print(
    "\nQuantizing \(millions) million f32 (\(options.threads) threads, no importance matrix), dequantizing on one thread;",
    "best of \(options.runs)")
  var peer: [String: Double] = [:]
  if let llamaQuantize {
    try withTemporaryFolder(in: options.folder) { folder in
      let arguments = [llamaQuantize, folder, "\(options.threads)", "1"] + types.map(\.1)
      peer = runPeer("llama_quantize.py", arguments, options) ?? [:]
    }
  }
  var generator = SystemRandomNumberGenerator()
  let numbers = (0..<Tile.count).map { _ in
    (0..<4).reduce(Float(0)) { sum, _ in sum + Float.random(in: -0.02...0.02, using: &generator) }
  }
  let copying = best(of: options.runs * 20) { copy(numbers) }
  row("", "quantize", "llama-quantize", "", "dequantize", "of memcpy")
  for (dtype, name) in types {
    guard let codec = BlockCodec(dtype) else { continue }
    let tiles = max(1, millions * 1_000_000 / Tile.count)
    let seconds = try best(of: options.runs) {
      try Parallelism(threads: options.threads).forEach(tiles) { _ throws(KistError) in _ = quantize(codec, numbers) }
    }
    let each = seconds / Double(tiles * Tile.count)
    let blocks = quantize(codec, numbers)
    var output = [Float](repeating: 0, count: Tile.count)
    let widening = best(of: options.runs * 20) {
      unsafe blocks.withUnsafeBytes { source in
        unsafe output.withUnsafeMutableBufferPointer { target in
          guard let base = target.baseAddress else { return }
          unsafe codec.dequantize(blocks: source, into: base)
        }
      }
    }
    row(
      dtype.name, nanoseconds(each), peer[name].map(nanoseconds) ?? "–", peer[name].map { times($0 / each) } ?? "",
      gigabytesPerSecond(4 * Tile.count, widening), String(format: "%.0f %%", copying / widening * 100))
  }
}

private func nanoseconds(_ seconds: Double) -> String { String(format: "%.2f ns", seconds * 1e9) }

private func quantize(_ codec: BlockCodec, _ numbers: [Float]) -> [UInt8] {
  let size = Tile.count / codec.dtype.unitElementCount * codec.dtype.unitByteCount
  return unsafe [UInt8](unsafeUninitializedCapacity: size) { blocks, count in
    count = size
    guard let target = unsafe UnsafeMutableRawPointer(blocks.baseAddress) else { return }
    unsafe numbers.withUnsafeBufferPointer { values in
      guard let source = values.baseAddress else { return }
      unsafe codec.quantize(source, rows: Tile.rows, columns: Tile.columns, into: target)
    }
  }
}

private nonisolated(unsafe) let copyTarget = UnsafeMutableRawBufferPointer.allocate(
  byteCount: 4 * Tile.count, alignment: 64)

private func copy(_ numbers: [Float]) {
  unsafe numbers.withUnsafeBytes { unsafe copyTarget.copyMemory(from: $0) }
}
