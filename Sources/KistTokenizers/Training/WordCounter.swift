import Foundation
import KistCore
import Synchronization

/// Counts the words of a corpus, on several threads; the result depends neither on their number nor on the order in which they worked.
///
/// A corpus is lines, each a text of its own. A line keeps its end: it goes up to and including the next `\n`, a `\r` before that belongs
/// to it, and the last one of a file need not have any. Special tokens have no meaning in it. That is what the reference reads
/// from the files it is given. Source: tokenizers, `tokenizer/mod.rs`, `train_from_files`; `utils/iter.rs`, `lines_with_ending`.
///
/// Text that is not valid UTF-8 is an error, as it is for the reference; the error names the place.
///
/// Memory grows with the number of distinct words, once for each thread; besides it there is the text of a few MiB a thread,
/// or of the longest line.
package struct WordCounter: Sendable {
  /// Takes a piece of a text: a word.
  package typealias Emit = (_ word: RawSpan) -> Void

  /// Cuts one text, which is valid UTF-8, into words: normalizer and pre-tokenizer.
  package typealias Cutter = (_ text: RawSpan, _ emit: Emit) throws(KistError) -> Void

  /// How much text a thread counts at a time, in bytes.
  private static let blockByteCount = 1 << 20

  private let makeCutter: @Sendable () throws(KistError) -> Cutter

  /// - Parameter makeCutter: Gives each thread a cutter of its own, which may keep memory between texts.
  package init(_ makeCutter: @escaping @Sendable () throws(KistError) -> Cutter) { self.makeCutter = makeCutter }

  /// Counts the words of files.
  ///
  /// - Throws: `invalid` for text that is not UTF-8, `damaged` when a file is cut short meanwhile, `interrupted`.
  package func count(
    _ files: [MappedFile], progress: any ProgressObserver = NoProgress(), parallelism: Parallelism = Parallelism()
  ) throws(KistError) -> WordCounts {
    progress.begin("Counting words", total: files.reduce(0) { $0 + $1.count })
    defer { progress.end() }
    var blocks = FileBlocks(files, byteCount: Self.blockByteCount)
    let workers = Workers(makeCutter)
    try parallelism.inOrder(
      next: { () throws(KistError) in blocks.next() },
      produce: { (block) throws(KistError) in
        block.file.populate(block.range)
        do throws(KistError) {
          unsafe try workers.count(block.file.pointer(block.range), at: block.range.lowerBound)
        } catch {
          throw error.inFile(block.file.path)
        }
        block.file.release(block.range)
        progress.advance(by: block.range.count)
      },
      consume: { (_, _) throws(KistError) in })
    for file in files { try file.checkIntact() }
    return workers.total()
  }

  /// Counts the words of a stream of bytes, such as standard input.
  ///
  /// - Parameter read: Gives the next bytes, cut anywhere; nil at the end.
  package func count(
    reading read: @escaping () throws(KistError) -> [UInt8]?, progress: any ProgressObserver = NoProgress(),
    parallelism: Parallelism = Parallelism()
  ) throws(KistError) -> WordCounts {
    progress.begin("Counting words", total: 0)
    defer { progress.end() }
    var blocks = StreamBlocks(read, byteCount: Self.blockByteCount)
    let workers = Workers(makeCutter)
    try parallelism.inOrder(
      next: { () throws(KistError) in try blocks.next() },
      produce: { (block) throws(KistError) in
        let outcome = unsafe block.bytes.withUnsafeBytes { bytes in
          Result { () throws(KistError) in unsafe try workers.count(bytes, at: block.offset) }
        }
        try outcome.get()
        progress.advance(by: block.bytes.count)
      },
      consume: { (_, _) throws(KistError) in })
    return workers.total()
  }
}

/// A table and a cutter for each thread that is counting.
private final class Workers: Sendable {
  /// Used by one thread at a time.
  private struct Worker: @unchecked Sendable {
    let table: WordTable
    let cut: WordCounter.Cutter
  }

  private let idle = Mutex<[Worker]>([])
  private let makeCutter: @Sendable () throws(KistError) -> WordCounter.Cutter

  init(_ makeCutter: @escaping @Sendable () throws(KistError) -> WordCounter.Cutter) { self.makeCutter = makeCutter }

  /// Counts the words of whole lines.
  ///
  /// - Parameter offset: Where they lie in their file.
  @unsafe func count(_ lines: UnsafeRawBufferPointer, at offset: Int) throws(KistError) {
    if let place = unsafe lines.firstInvalidUTF8Byte {
      throw KistError(
        .invalid, offset: offset + place, "is not valid UTF-8 text", advice: "convert it to UTF-8 before training on it"
      )
    }
    let worker = try take()
    defer { idle.withLock { $0.append(worker) } }
    var rest = unsafe lines
    while let end = unsafe rest.lineEnd {
      let line = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: rest[..<end]))
      try worker.cut(line) { word in worker.table.add(word) }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[end...])
    }
  }

  private func take() throws(KistError) -> Worker {
    if let worker = idle.withLock({ $0.popLast() }) { return worker }
    return Worker(table: WordTable(), cut: try makeCutter())
  }

  /// All counts together. Their order is that of their bytes, since which thread met a word first is chance.
  func total() -> WordCounts {
    let tables = idle.withLock { $0.map(\.table) }.sorted { $0.count > $1.count }
    guard let largest = tables.first else { return WordCounts() }
    for table in tables.dropFirst() { largest.add(table) }
    return largest.sorted()
  }
}
