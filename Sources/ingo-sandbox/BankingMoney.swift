// Banking's money movements: top-up from a linked account, program funding, book transfer.
// Relies on amounts as decimal strings of two places. Refuses unknown accounts, foreign owners and overdrafts.

/// Each call moves money once; whether it runs at all is decided by the caller's key (see Banking).
enum BankingMoney {
    static func topUp(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        let user = try call.required("user_id")
        _ = try call.required("receiver_business_id")
        guard world.users[user] != nil else { throw .unknown("user") }
        return try fund(&world, call, from: user, into: try call.required("routable_bank_account_id"))
    }

    static func fundProgram(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        let target =
            call.json["routable_bank_account_id"] == nil
            ? World.programRoutable : try call.required("routable_bank_account_id")
        return try fund(&world, call, from: World.programOwner, into: target)
    }

    private static func fund(
        _ world: inout World, _ call: ProductCall, from owner: Bytes, into target: Bytes
    ) throws(BankingRefusal) -> WireJSON {
        let cents = try amount(call)
        let source = try call.required("account_id")
        guard let linked = world.linked[source], linked.owner == owner else { throw .unknown("linked account") }
        guard world.routable[target] != nil else { throw .unknown("routable account") }
        world.routable[target]?.balance += cents
        return transaction(call, cents, originator: owner, method: "ach")
    }

    static func bookTransfer(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        let cents = try amount(call)
        let source = try account(world, call, "source")
        let destination = try account(world, call, "destination")
        guard source != destination else { throw .form("destination_routable_bank_account_id") }
        guard let balance = world.routable[source]?.balance, balance >= cents else {
            throw BankingRefusal(code: 1050, message: "insufficient funds")
        }
        world.routable[source]?.balance -= cents
        world.routable[destination]?.balance += cents
        return transaction(call, cents, originator: try call.required("source_entity_id"), method: "book")
    }

    /// The account of one side of a transfer, which must belong to that side's entity.
    private static func account(
        _ world: World, _ call: ProductCall, _ side: String
    ) throws(BankingRefusal) -> Bytes {
        let entity = try call.required("\(side)_entity_id")
        let prefixes = ["user": "user-", "business": "buss-", "program": "prog-"]
        let type = try call.required("\(side)_entity_type")
        guard let prefix = prefixes[type.text], entity.starts(with: prefix.utf8) else {
            throw .form("\(side)_entity_type")
        }
        let id = try call.required("\(side)_routable_bank_account_id")
        guard let account = world.routable[id], account.owner == entity else {
            throw .unknown("\(side) routable account")
        }
        return id
    }

    private static func amount(_ call: ProductCall) throws(BankingRefusal) -> Int {
        guard let cents = Amount.parse(try call.required("amount")) else { throw .form("amount") }
        return cents
    }

    private static func transaction(
        _ call: ProductCall, _ cents: Int, originator: Bytes, method: String
    ) -> WireJSON {
        Banking.page([
            [
                "id": .text(Fresh.identifier("ltra-")), "amount": .text(Amount.text(cents)), "currency": "usd",
                "status": "pending", "category": "transfer", "method": .text(method),
                "originator_type": "user", "originator_id": .string(originator),
                "description": call.json["description"] ?? "",
                "posting_date": .text(DateText.iso(HostSystem.unixTime)), "reversed_transaction_id": nil,
            ]
        ])
    }
}
