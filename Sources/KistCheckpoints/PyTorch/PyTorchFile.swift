import KistCore

/// What `torch.save` writes since PyTorch 1.6: a zip archive of one pickle and an entry for each storage.
///
/// ```
/// NAME/data.pkl        what there is: dicts, lists, numbers, text, and tensors as parts of storages
/// NAME/data/0, 1, …    storages: the numbers, one after the other
/// NAME/byteorder       little or big
/// ```
///
/// The pickle is never run, only read: see ``PickleMachine``. Storages are read where they lie.
///
/// - Source: torch/serialization.py, `_save` and `_load`.
public struct PyTorchFile: Sendable {
  /// A tensor, under the keys that lead to it joined by dots.
  public struct Tensor: Sendable {
    public let name: String
    public let dtype: DType
    public let shape: Shape
    /// The elements: row-major, little-endian.
    public let source: any ByteSource
  }

  /// A value that is no tensor.
  public enum Value: Sendable, Equatable {
    case bool(Bool)
    case int(Int)
    case float(Double)
    /// Text, or a list of simple values as JSON.
    case text(String)
  }

  public let path: String
  public let byteCount: Int
  /// In the order of the pickle.
  public let tensors: [Tensor]
  public let values: [(name: String, value: Value)]
  /// What is neither, with words for a person.
  public let others: [(name: String, what: String)]
  /// The archive, for checking its CRC-32s.
  package let archive: ZipArchive

  private static let pickleName = "data.pkl"

  /// Whether an archive looks like one.
  package static func isPyTorch(_ archive: ZipArchive) -> Bool { !folders(of: archive).isEmpty }

  /// - Throws: `missing`, `damaged` or `unsupported`, naming file, field and, of a pickle, the offset in it.
  public init(path: String) throws(KistError) { try self.init(try ZipArchive(try MappedFile(path: path))) }

  package init(_ archive: ZipArchive) throws(KistError) {
    self.archive = archive
    path = archive.path
    byteCount = archive.file.count
    do throws(KistError) {
      let folders = PyTorchFile.folders(of: archive)
      guard let folder = folders.first, folders.count == 1, let pickle = archive.find(folder + Self.pickleName) else {
        throw KistError(.damaged, field: Self.pickleName, "is there \(folders.isEmpty ? "not" : "more than once")")
      }
      guard archive.find(folder + "constants.pkl") == nil else {
        throw KistError(
          .unsupported, "is a TorchScript program, not a checkpoint",
          advice: "in Python, save the state_dict of the module that torch.jit.load gives")
      }
      let contents = try PyTorchFile.contents(of: pickle, in: archive)
      let storages = try StorageReader(archive, folder: folder)
      tensors = try contents.tensors.map { (item) throws(KistError) -> Tensor in
        do throws(KistError) { return try storages.tensor(item.name, item.tensor, item.storage) } catch {
          var named = error
          named.field = "tensor '\(item.name)'" + (error.field.map { ": \($0)" } ?? "")
          throw named
        }
      }
      (values, others) = (contents.values, contents.others)
      try archive.file.checkIntact()
    } catch {
      throw error.inFile(archive.path)
    }
  }

  /// The folders that have a pickle: the archive's own, the one that has all its entries.
  private static func folders(of archive: ZipArchive) -> [String] {
    archive.entries.compactMap { entry in
      let parts = entry.name.utf8.split(separator: UInt8(ascii: "/"))
      guard parts.count <= 2, let last = parts.last, last.elementsEqual(pickleName.utf8) else { return nil }
      return String(decoding: entry.name.utf8.dropLast(pickleName.utf8.count), as: UTF8.self)
    }
  }

  private static func contents(of pickle: ZipEntry, in archive: ZipArchive) throws(KistError) -> TorchContents {
    guard pickle.byteCount <= PickleMachine.maximumByteCount else {
      throw KistError(
        .unsupported, field: pickleName,
        "\(pickle.byteCount) bytes is more than the \(PickleMachine.maximumByteCount) that are read")
    }
    let part = try archive.content(of: pickle).mapped()
    defer { withExtendedLifetime(part) {} }
    do throws(KistError) {
      return unsafe try TorchContents(pickle: part.pointer)
    } catch {
      var named = error
      named.field = pickleName + (error.field.map { ": \($0)" } ?? "")
      throw named
    }
  }
}

/// Finds the elements of tensors in the entries of an archive.
private struct StorageReader {
  let archive: ZipArchive
  let folder: String
  let isBigEndian: Bool
  /// Deflated entries are unpacked once for all tensors that share them.
  private let contents: [NameBytes: any StoredContent]

  init(_ archive: ZipArchive, folder: String) throws(KistError) {
    self.archive = archive
    self.folder = folder
    isBigEndian = try StorageReader.isBigEndian(archive, folder)
    var contents: [NameBytes: any StoredContent] = [:]
    for entry in archive.entries { contents[NameBytes(entry.name)] = archive.content(of: entry) }
    self.contents = contents
  }

  private static func isBigEndian(_ archive: ZipArchive, _ folder: String) throws(KistError) -> Bool {
    guard let entry = archive.find(folder + "byteorder") else { return false }
    let order = String(decoding: try entry.prefix(16, in: archive.file), as: UTF8.self)
    guard order == "little" || order == "big" else {
      throw KistError(.damaged, field: "byteorder", "'\(order)' is neither little nor big")
    }
    return order == "big"
  }

  func tensor(_ name: String, _ tensor: TorchTensor, _ key: String) throws(KistError) -> PyTorchFile.Tensor {
    guard let dtype = tensor.dtype.dtype else {
      throw KistError(.unsupported, "tensors of torch.\(tensor.dtype.name) are not read")
    }
    guard (1...65535).contains(name.utf8.count) else {
      throw KistError(.unsupported, "a name has 1 to 65535 bytes, not \(name.utf8.count)")
    }
    guard let content = contents[NameBytes(folder + "data/" + key)] else {
      throw KistError(.damaged, "its storage '\(key)' is not in the archive")
    }
    guard content.byteCount == tensor.storage.byteCount else {
      throw KistError(
        .damaged,
        "its storage '\(key)' has \(content.byteCount) bytes, and not the declared \(tensor.storage.byteCount)")
    }
    let width = tensor.dtype.width
    let (offset, overflow) = tensor.offset.multipliedReportingOverflow(by: width)
    guard !overflow else { throw KistError(.damaged, "an offset of \(tensor.offset) elements is not possible") }
    let layout = try ElementLayout(
      shape: Shape(tensor.sizes), steps: tensor.steps, width: width,
      swapWidth: isBigEndian ? dtype.componentByteCount : 1, offset: offset, available: content.byteCount)
    try checkExpansion(layout, of: content)
    return PyTorchFile.Tensor(
      name: name, dtype: dtype, shape: try shape(tensor), source: ElementSource(content, layout))
  }

  /// Elements that hold several numbers have them in the last dimension, as safetensors counts them.
  private func shape(_ tensor: TorchTensor) throws(KistError) -> Shape {
    var sizes = tensor.sizes
    guard tensor.dtype.numbersPerElement > 1 else { return Shape(sizes) }
    guard let last = sizes.popLast(), last <= Int.max / tensor.dtype.numbersPerElement else {
      throw KistError(.unsupported, "a torch.\(tensor.dtype.name) without dimensions")
    }
    return Shape(sizes + [last * tensor.dtype.numbersPerElement])
  }

  private static let expansion = (harmlessByteCount: 1 << 30, factor: 1024)

  /// A step of 0 repeats elements: a few bytes could stand for more than any disk holds.
  private func checkExpansion(_ layout: ElementLayout, of content: any StoredContent) throws(KistError) {
    guard layout.byteCount > Self.expansion.harmlessByteCount,
      layout.byteCount / Self.expansion.factor > content.byteCount
    else { return }
    throw KistError(
      .unsupported, "repeats \(content.byteCount) bytes to \(layout.byteCount)", advice: "save what is repeated, once")
  }
}
