import Synchronization

/// Keeps costly things, each used by one thread at a time, for the next who needs one.
package final class ResourcePool<Resource: Sendable>: Sendable {
  private let idle = Mutex<[Resource]>([])
  private let make: @Sendable () throws(KistError) -> Resource

  package init(_ make: @escaping @Sendable () throws(KistError) -> Resource) { self.make = make }

  package func take() throws(KistError) -> Resource {
    if let resource = idle.withLock({ $0.popLast() }) { return resource }
    return try make()
  }

  package func give(_ resource: Resource) { idle.withLock { $0.append(resource) } }
}
