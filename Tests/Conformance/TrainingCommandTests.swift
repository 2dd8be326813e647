import Foundation
import TestSupport
import Testing

/// `kist train` and `kist scaling` as people run them.
@Suite struct TrainingCommandTests {
  private static let world = repository + "/Fixtures/world-llama"
  private static let config = """
    {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64,
     "vocab_size": 300}
    """

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try Data(Self.config.utf8).write(to: URL(fileURLWithPath: folder.path + "/config.json"))
    try FileManager.default.copyItem(atPath: Self.world + "/held-out.txt", toPath: folder.path + "/text.txt")
    return folder
  }

  private static let short = ["--steps", "30", "--batch", "2", "--context", "32", "--lr", "0.01", "--eval-every", "10"]

  @Test func `a model with a tokenizer of its own is trained, verified, run and converted`() throws {
    let folder = try folder()
    let trained = try KistProcess.run(
      ["train", "--config", "config.json", "--corpus", "text.txt", "-o", "a.kist", "--curve", "loss.svg", "--json"]
        + Self.short, in: folder)
    #expect(trained.status == 0, "\(trained.errors)")
    let report = try trained.json()
    let losses = try #require(report["losses"] as? [Double])
    #expect(losses.count == 30 && losses[29] < losses[0] - 0.5)
    #expect(report["held_out_loss"] as? Double ?? 9 < 5.3)
    #expect(trained.errors.contains("step 30: held-out loss"))
    let curve = try String(contentsOfFile: folder.path + "/loss.svg", encoding: .utf8)
    #expect(curve.contains("<polyline") && curve.contains("<circle"))
    #expect(try kist("verify", "a.kist", in: folder).status == 0)
    #expect(try kist("predict", "a.kist", "The king", "-k", "3", in: folder).output.contains("%"))
    #expect(try kist("convert", "a.kist", "-o", "hf", in: folder).status == 0)
    #expect(try kist("verify", "a.kist", "--against", "hf", in: folder).status == 0)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/hf/tokenizer.json"))
    // What is there already is not replaced, nor trained further than asked.
    let again = try KistProcess.run(
      ["train", "--config", "config.json", "--corpus", "text.txt", "-o", "a.kist"] + Self.short, in: folder)
    #expect(again.status == 2 && again.errors.contains("--force"))
    let done = try kist("train", "--corpus", "text.txt", "-o", "a.kist", "--resume", in: folder)
    #expect(done.status == 2 && done.errors.contains("--steps"))
  }

  @Test func `Ctrl-C saves, and --resume comes to the same bytes`() throws {
    let folder = try folder()
    let arguments = [
      "train", "--config", "config.json", "--corpus", "text.txt", "--steps", "600", "--batch", "2", "--context", "32",
      "--quiet", "--no-state",
    ]
    #expect(try KistProcess.run(arguments + ["-o", "whole.kist"], in: folder).status == 0)
    let process = Process()
    process.executableURL = KistProcess.products.appendingPathComponent("kist")
    process.arguments = arguments + ["-o", "parts.kist", "--save-every", "5"]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    try process.run()
    while !FileManager.default.fileExists(atPath: folder.path + "/parts.kist"), process.isRunning { usleep(2000) }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    let resumed = try kist(
      "train", "--corpus", "text.txt", "-o", "parts.kist", "--resume", "--no-state", "--quiet", in: folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let files = try ["whole", "parts"].map { try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\($0).kist")) }
    #expect(files[0] == files[1])
  }

  @Test func `what can't be trained is one line`() throws {
    let folder = try folder()
    func failure(_ arguments: [String]) throws -> String {
      let result = try KistProcess.run(
        ["train", "--config", "config.json", "-o", "b.kist", "--quiet"] + arguments, in: folder)
      #expect(result.status == 2 && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/b.kist"))
      return result.errors
    }
    #expect(try failure(["--corpus", "none.txt"]).contains("none.txt"))
    #expect(try failure(["--corpus", "text.txt", "--batch", "1000"]).contains("fewer than a batch"))
    #expect(try failure(["--corpus", "text.txt", "--context", "65"]).contains("64"))
    let blown = try failure(
      ["--corpus", "text.txt", "--context", "32", "--lr", "1e30", "--clip", "0", "--warmup", "0", "--optimizer", "sgd"])
    #expect(blown.contains("step ") && blown.contains("norm") && blown.contains("--lr"))
    #expect(try kist("train", "--corpus", "text.txt", "-o", "b.kist", in: folder).status == 64)
    #expect(try kist("train", "--corpus", "text.txt", "-o", "b.kist", "--resume", in: folder).status == 2)
  }

  @Test func `a sweep's table is fitted, drawn, and asked`() throws {
    let folder = try folder()
    let sweep = try kist(
      "scaling", "sweep", "--corpus", "text.txt", "-o", "small.csv", "--widths", "16,32", "--tokens", "256,512",
      "--batch", "2", "--context", "32", "--vocab-size", "300", in: folder)
    #expect(sweep.status == 0, "\(sweep.errors)")
    let rows = try String(contentsOfFile: folder.path + "/small.csv", encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 5 && rows[0].hasPrefix("params,tokens,loss"))
    let few = try kist("scaling", "fit", "small.csv", in: folder)
    #expect(few.status == 2 && few.errors.contains("too few"))

    var table = "params,tokens,loss\n"
    for size in [1e6, 3e6, 1e7, 3e7, 1e8] {
      for tokens in [1e8, 1e9, 1e10] {
        table += "\(size),\(tokens),\(1.69 + 406.4 / pow(size, 0.34) + 410.7 / pow(tokens, 0.28))\n"
      }
    }
    try Data(table.utf8).write(to: URL(fileURLWithPath: folder.path + "/runs.csv"))
    let fit = try kist(
      "scaling", "fit", "runs.csv", "--form", "chinchilla", "-o", "plot.svg", "-o", "fit.json", "--bootstrap", "20",
      in: folder)
    #expect(fit.status == 0 && fit.output.contains("beta"), "\(fit.errors)")
    #expect(try String(contentsOfFile: folder.path + "/plot.svg", encoding: .utf8).contains("</svg>"))
    let predicted = try kist(
      "scaling", "predict", "fit.json", "--params", "7e10", "--tokens", "1.4e12", "--json", in: folder)
    #expect(abs((try predicted.json()["loss"] as? Double ?? 0) - 1.937) < 0.01)
    let best = try kist("scaling", "allocate", "fit.json", "--compute", "5.76e23", "--json", in: folder)
    let parameters = try #require(try best.json()["parameters"] as? [String: Any])
    #expect(abs((parameters["value"] as? Double ?? 0) / 3.2e10 - 1) < 0.1)
    let undetermined = try #require(try best.json()["undetermined"] as? [Any])
    #expect(!fit.output.contains("not determined") && undetermined.isEmpty)
  }

  @Test func `what runs do not tell is said wherever the fit is used`() throws {
    let folder = try folder()
    var table = "params,tokens,loss\n"
    for (row, size) in [1e6, 1.2e6, 1.5e6].enumerated() {
      for (column, tokens) in [1e8, 1e9, 1e10].enumerated() {
        let loss = pow(8.8e13 / size, 0.076) + pow(5.4e13 / tokens, 0.095)
        table += "\(size),\(tokens),\(loss * (1 + [0.01, -0.01, 0.005][(row + 2 * column) % 3]))\n"
      }
    }
    try Data(table.utf8).write(to: URL(fileURLWithPath: folder.path + "/runs.csv"))
    for arguments in [
      ["fit", "runs.csv", "-o", "fit.json"], ["predict", "fit.json", "--params", "1e9", "--tokens", "1e11"],
      ["allocate", "fit.json", "--compute", "1e21"],
    ] {
      let run = try KistProcess.run(["scaling"] + arguments, in: folder)
      #expect(run.status == 0 && run.output.contains("not determined by the runs: alpha_N ("), "\(run.output)")
      #expect(run.output.contains("add models of more different sizes"))
      let undetermined = try KistProcess.run(["scaling"] + arguments + ["--json", "--force"], in: folder).json()[
        "undetermined"]
      #expect((undetermined as? [[String: Any]])?.first?["constant"] as? String == "alpha_N")
    }
  }
}
