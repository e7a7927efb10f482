// The store of a configuration, open for the operator, and its failures in words.
// Relies on StoreInspector. Refuses configurations without a store, and stores in memory, of which nothing is seen from
// outside the gateway.

internal import Config
internal import Net
internal import Policy
internal import Store

/// An open store.
struct KeyBook {
    /// One sentence for the operator.
    struct Failure: Error {
        var reason: String
    }

    private let path: String
    private let inspector: StoreInspector
    private let now = Instants(
        bootMilliseconds: Clock.bootMilliseconds(), wallMilliseconds: Clock.realtimeMilliseconds())

    init(_ settings: Settings) throws(Failure) {
        guard let store = settings.store else { throw Failure(reason: "the configuration has no store") }
        guard let path = store.path else {
            throw Failure(reason: "the store is kept in the gateway's memory (kind: memory) and cannot be looked into")
        }
        guard !Console.isMissing(path) else {
            throw Failure(reason: "there is no file \(path): a gateway makes it when it first opens its store")
        }
        self.path = path
        inspector = try Self.saying(path) { () throws(StoreFailure) in try StoreInspector(path: path) }
    }

    func list(_ kind: StateKind?, limit: Int) throws(Failure) -> [KeyListing] {
        try Self.saying(path) { () throws(StoreFailure) in try inspector.list(kind, limit: limit) }
    }

    /// The one key that is meant.
    func find(_ address: KeyAddress) throws(Failure) -> KeyListing {
        switch address {
        case .digests(let digests):
            for digest in digests {
                let found = try Self.saying(path) { () throws(StoreFailure) in try inspector.show(digest) }
                if let found { return found }
            }
        case .prefix(let prefix):
            let found = try Self.saying(path) { () throws(StoreFailure) in
                try inspector.find(from: prefix.first, through: prefix.last, limit: 2)
            }
            guard found.count < 2 else {
                throw Failure(reason: "more than one key has an id that begins so: give more of its digits")
            }
            if let only = found.first { return only }
        }
        throw Self.absent
    }

    private static let absent = Failure(
        reason: "the store has no such key: nothing was sent with it, it was freed, or its time is over")

    /// Settles the key, if its outcome still is unknown.
    func resolve(_ listing: KeyListing, as resolution: Resolution) throws(Failure) {
        let result = try Self.saying(path) { () throws(StoreFailure) in
            try inspector.resolve(listing.key, as: resolution, at: now, bootID: Clock.bootID())
        }
        switch result {
        case .resolved: break
        case .absent: throw Self.absent
        case .isNow(let kind):
            throw Failure(
                reason: "only a key of unknown outcome can be settled, and this one is \(KeyStateName(kind).words)."
                    + " Nothing was changed")
        }
    }

    /// What the store's times are by the wall clock.
    func dates() throws(Failure) -> StoreDates {
        let mark = try Self.saying(path) { () throws(StoreFailure) in try inspector.clock() }
        var clock = StoreClock(after: mark, at: now, bootID: Clock.bootID())
        return StoreDates(storeMilliseconds: clock.time(at: now), wallMilliseconds: now.wallMilliseconds)
    }

    private static func saying<Value>(
        _ path: String, _ body: () throws(StoreFailure) -> Value
    ) throws(Failure) -> Value {
        do throws(StoreFailure) {
            return try body()
        } catch {
            throw Failure(reason: reason(error, path))
        }
    }

    private static func reason(_ failure: StoreFailure, _ path: String) -> String {
        switch failure {
        case .cannotOpen: "\(path) cannot be opened: it is no file, or this user may not write it or its folder"
        case .locked:
            "\(path) is busy: others wrote to it for \(StoreInspector.busyMilliseconds) ms; try again"
        case .readOnly: "\(path) cannot be written by this user, or its disk is read-only"
        case .full: "the disk of \(path) is full, or the file is as large as it may be; nothing was changed"
        case .corrupt: "\(path) is no store of this program, or it is damaged; nothing was changed"
        case .newer: "\(path) was written by another version of this program; use that one"
        case .inputOutput: "the system failed to read or write \(path)"
        case .tooManyKeys, .overloaded, .timeout: preconditionFailure("only a gateway's store says that")
        }
    }
}
