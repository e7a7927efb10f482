// What the upstream remembers: users, accounts, money, finished operations, and the ledger of what was executed.
// Relies on being used under one lock. Refuses nothing itself; the products decide.

/// One user and how far its verification is.
struct KnownUser: Sendable {
    var status: String
    var pollsLeft: Int
}

/// A bank account linked to a user or to the program.
struct LinkedAccount: Sendable {
    var owner: Bytes
    var numberEnd: Bytes
}

/// An account the program can move money on. Cents.
struct RoutableAccount: Sendable {
    var owner: Bytes
    var number: Bytes
    var routing: Bytes
    var balance: Int
}

/// An operation that ran once and is answered again without running.
struct FinishedOperation: Sendable {
    /// Banking: what a repeat has to ask for again. IngoPay: the data that a repeat is told.
    var parameters: Bytes
    var answer: SandboxAnswer
    var entry: Int
    /// Still running, as far as the caller has been told.
    var inProgress = false
}

/// One line of the ledger.
struct LedgerEntry: Sendable {
    var path: String
    var key: Bytes?
    var bodyHash: String
    var executed = 1
    var replayed = 0
}

/// A request that was accepted as signed, on its way to a product.
struct ProductCall: Sendable {
    /// Without the product's version prefix.
    var path: String
    var program: Program
    var json: WireJSON
    var request: ReceivedRequest

    /// A string member of the body that must be there and not empty.
    func required(_ name: String) throws(BankingRefusal) -> Bytes {
        guard let value = json[name], value != .null else { throw .missing(name) }
        guard let text = value.string, !text.isEmpty else { throw .form(name) }
        return text
    }
}

/// The whole memory.
struct World: Sendable {
    /// Identifiers of the published examples; they exist from the start so that those examples work as printed.
    static let exampleUser = Bytes("user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef".utf8)
    static let exampleBusiness = Bytes("buss-2ef94c60-5a11-4d72-a3c1-5be7fab0123e".utf8)
    static let exampleAccount = Bytes("bbac-9abc1234-5678-90ef-klmn-opqrstuv5678".utf8)
    static let exampleUserRoutable = Bytes("rbac-2b1c0e44-4f2d-9a11-7b23-cc90d1ef8f3a".utf8)
    static let exampleBusinessRoutable = Bytes("rbac-9f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8".utf8)
    static let programOwner = Bytes("prog-11111111-2222-4333-8444-555555555555".utf8)
    static let programRoutable = Bytes("rbac-11111111-2222-4333-8444-555555555555".utf8)

    /// Checks of a verification until it is `verified`; 0 verifies at the request.
    let polls: Int
    var users: [Bytes: KnownUser] = [:]
    var linked: [Bytes: LinkedAccount] = [:]
    var routable: [Bytes: RoutableAccount] = [:]
    var tokens: Set<Bytes> = []
    var finished: [Bytes: FinishedOperation] = [:]
    var ledger: [LedgerEntry] = []

    init(polls: Int) {
        self.polls = polls
        users[Self.exampleUser] = KnownUser(status: "verified", pollsLeft: 0)
        linked[Self.exampleAccount] = LinkedAccount(owner: Self.exampleUser, numberEnd: Bytes("5678".utf8))
        for (id, owner) in [
            (Self.exampleUserRoutable, Self.exampleUser), (Self.exampleBusinessRoutable, Self.exampleBusiness),
            (Self.programRoutable, Self.programOwner),
        ] {
            routable[id] = RoutableAccount(
                owner: owner, number: Fresh.digits(10), routing: Fresh.routingNumber(), balance: 100_000_000)
        }
    }

    /// Notes an execution; gives its place in the ledger.
    mutating func execute(_ call: ProductCall, key: Bytes?) -> Int {
        ledger.append(
            LedgerEntry(path: call.request.path, key: key, bodyHash: Digests.sha256(call.request.body).hex))
        return ledger.count - 1
    }

    /// Where an operation with a key is remembered: per program and operation.
    static func scope(_ call: ProductCall, _ key: Bytes) -> Bytes {
        call.program.username + [10] + call.path.utf8 + [10] + key
    }

    /// The ledger as the control endpoint shows it.
    var ledgerJSON: WireJSON {
        .array(
            ledger.enumerated().map { index, entry in
                [
                    "n": .int(index + 1), "path": .text(entry.path),
                    "idempotency_key": entry.key.map(WireJSON.string) ?? .null, "executed": .int(entry.executed),
                    "replayed": .int(entry.replayed), "body_sha256": .text(entry.bodyHash),
                ]
            })
    }
}
