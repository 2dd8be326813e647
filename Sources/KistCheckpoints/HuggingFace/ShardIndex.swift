import KistCore

/// `model.safetensors.index.json`: which shard holds which tensor.
struct ShardIndex {
  let shardOfTensor: [(tensor: String, shard: String)]

  init(path: String) throws(KistError) {
    let file = try MappedFile(path: path)
    do throws(KistError) {
      guard file.count <= SafetensorsHeader.maximumByteCount else {
        throw KistError(.damaged, "is too large for an index of shards")
      }
      guard let map = try JSONDocument(file.bytes).root["weight_map"]?.members, !map.isEmpty else {
        throw KistError(.damaged, field: "weight_map", "missing, empty, or not a JSON object")
      }
      shardOfTensor = try map.map { member throws(KistError) in
        guard let shard = member.value.string else {
          throw KistError(.damaged, field: "weight_map: '\(member.key)'", "not a file name")
        }
        return (member.key, shard)
      }
    } catch {
      throw error.inFile(path)
    }
  }
}
