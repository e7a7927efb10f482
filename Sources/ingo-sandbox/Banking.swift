// The Banking API: users and their verification, linked and routable accounts, balances; money is in BankingMoney.
// Relies on the published requests and envelopes. Refuses with the published error families.

/// Operations of Banking by path, behind `/api/v3` or `/api/v4`.
enum Banking {
    typealias Operation = (inout World, ProductCall) throws(BankingRefusal) -> WireJSON

    /// How an operation treats `idempotent_key`.
    private enum KeyRule {
        case ignored
        case honoured
        case required
    }

    static func answer(_ world: inout World, _ call: ProductCall) -> SandboxAnswer {
        do throws(BankingRefusal) {
            try checkKey(call)
            guard let (rule, operation) = operation(call.path) else {
                return BankingRefusal(code: 1001, message: "unknown endpoint").answer(status: 404)
            }
            guard call.request.method.spells("POST") else {
                var refused = BankingRefusal(code: 1023, message: "use POST").answer(status: 405)
                refused.fields.append(("Allow", "POST"))
                return refused
            }
            guard call.json.isObject else { throw BankingRefusal(code: 1022, message: "the body is not a JSON object") }
            return try run(&world, call, rule, operation)
        } catch {
            return error.answer()
        }
    }

    private static func operation(_ path: String) -> (KeyRule, Operation)? {
        switch path {
        case "/user/create": (.ignored, createUser)
        case "/user/send-verification-request": (.ignored, sendVerification)
        case "/user/check-verification-request": (.ignored, checkVerification)
        case "/business/routable-bank-accounts/issue": (.ignored, issueRoutable)
        case "/users/bank-accounts/save": (.required, saveUserAccount)
        case "/program/bank-accounts/save": (.required, saveProgramAccount)
        case "/balance/user": (.ignored, balance)
        case "/user/charge-bank-account-fund-business-routable-bank-account": (.honoured, BankingMoney.topUp)
        case "/program/charge-program-bank-account-fund-program-routable-bank-account":
            (.honoured, BankingMoney.fundProgram)
        case "/book-transfer/routable-bank-account-to-routable-bank-account-transfer":
            (.required, BankingMoney.bookTransfer)
        default: nil
        }
    }

    /// The program's key, in the header, in the body, or in both and then equal.
    private static func checkKey(_ call: ProductCall) throws(BankingRefusal) {
        let header = call.request.values("api_key")
        var given = header
        if let body = call.json["api_key"] { given.append(body.string ?? []) }
        guard !given.isEmpty, header.count <= 1 else {
            throw BankingRefusal(code: 1040, message: "Missing or invalid API key")
        }
        guard !call.program.apiKey.isEmpty, given.allSatisfy({ Digests.equal($0, call.program.apiKey) }) else {
            throw BankingRefusal(code: 1041, message: "Missing or invalid API key")
        }
    }

    /// Runs an operation, or gives the first answer again for a key that has been used.
    private static func run(
        _ world: inout World, _ call: ProductCall, _ rule: KeyRule, _ operation: Operation
    ) throws(BankingRefusal) -> SandboxAnswer {
        var key: Bytes?
        switch rule {
        case .ignored: break
        case .honoured: key = call.json["idempotent_key"]?.string
        case .required: key = try call.required("idempotent_key")
        }
        guard let key, !key.isEmpty else {
            let data = try operation(&world, call)
            _ = world.execute(call, key: nil)
            return success(data)
        }
        let scope = World.scope(call, key)
        let parameters = call.json.without("api_key").canonical
        if let earlier = world.finished[scope] {
            guard earlier.parameters == parameters else {
                throw BankingRefusal(code: 1026, message: "idempotent_key was used with other parameters")
            }
            world.ledger[earlier.entry].replayed += 1
            return earlier.answer
        }
        let answer = success(try operation(&world, call))
        let entry = world.execute(call, key: key)
        world.finished[scope] = FinishedOperation(parameters: parameters, answer: answer, entry: entry)
        return answer
    }

    private static func success(_ data: WireJSON) -> SandboxAnswer {
        SandboxAnswer(200, ["status": "success", "message": "operation completed", "data": data])
    }

    /// A list of one, with its page.
    static func page(_ items: [WireJSON]) -> WireJSON {
        [
            "items": .array(items),
            "pagination": [
                "page": 1, "per_page": 10, "total": .int(items.count), "sort": "created_at:desc", "search": "",
            ],
        ]
    }

    // MARK: Operations

    private static func createUser(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        for field in ["first_name", "last_name", "email"] { _ = try call.required(field) }
        let id = Fresh.identifier("user-")
        world.users[Bytes(id.utf8)] = KnownUser(status: "not_started", pollsLeft: 0)
        return ["user_id": .text(id), "kyc_status": "not_started"]
    }

    private static func knownUser(
        _ world: World, _ call: ProductCall
    ) throws(BankingRefusal) -> (id: Bytes, user: KnownUser) {
        let id = try call.required("user_id")
        guard let user = world.users[id] else { throw .unknown("user") }
        return (id, user)
    }

    private static func sendVerification(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        var (id, user) = try knownUser(world, call)
        let number = try call.required("ssn")
        _ = try call.required("date_of_birth")
        guard number.count == 9, number.isDigits else { throw .form("ssn") }
        guard user.status == "not_started" else { throw .state("verification was already submitted") }
        user.status = number.spells("000000000") ? "failed" : world.polls == 0 ? "verified" : "in_review"
        user.pollsLeft = world.polls
        world.users[id] = user
        return ["user_id": .string(id), "kyc_status": .text(user.status)]
    }

    private static func checkVerification(
        _ world: inout World, _ call: ProductCall
    ) throws(BankingRefusal) -> WireJSON {
        var (id, user) = try knownUser(world, call)
        if user.status == "in_review" {
            user.pollsLeft -= 1
            if user.pollsLeft <= 0 { user.status = "verified" }
            world.users[id] = user
        }
        return ["user_id": .string(id), "kyc_status": .text(user.status)]
    }

    private static func issueRoutable(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        let (id, user) = try knownUser(world, call)
        guard user.status == "verified" else { throw .state("the user is not verified") }
        let account = RoutableAccount(
            owner: id, number: Fresh.digits(10), routing: Fresh.routingNumber(), balance: 0)
        let name = Fresh.identifier("rbac-")
        world.routable[Bytes(name.utf8)] = account
        return [
            "routable_bank_account_id": .text(name), "account_number": .string(account.number),
            "routing_number": .string(account.routing), "user_id": .string(id),
        ]
    }

    private static func saveUserAccount(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        let (id, _) = try knownUser(world, call)
        return try save(&world, call, owner: id)
    }

    private static func saveProgramAccount(
        _ world: inout World, _ call: ProductCall
    ) throws(BankingRefusal) -> WireJSON {
        _ = try knownUser(world, call)
        return try save(&world, call, owner: World.programOwner)
    }

    private static func save(
        _ world: inout World, _ call: ProductCall, owner: Bytes
    ) throws(BankingRefusal) -> WireJSON {
        for field in ["first_name", "last_name"] { _ = try call.required(field) }
        let number = try call.required("account_number")
        let routing = try call.required("routing_number")
        guard number.isDigits, (5...20).contains(number.count) else { throw .form("account_number") }
        guard routing.isDigits, routing.count == 9 else { throw .form("routing_number") }
        let id = Fresh.identifier("bbac-")
        world.linked[Bytes(id.utf8)] = LinkedAccount(owner: owner, numberEnd: number.suffix(4))
        return page([
            [
                "id": .text(id), "account_number_last_4": .string(Bytes(number.suffix(4))),
                "routing_number": .string(routing), "bank_name": "Sandbox Bank", "source_platform": "plaid",
                "created_at": .text(DateText.iso(HostSystem.unixTime)),
            ]
        ])
    }

    private static func balance(_ world: inout World, _ call: ProductCall) throws(BankingRefusal) -> WireJSON {
        let (id, _) = try knownUser(world, call)
        let accounts = world.routable.filter { $0.value.owner == id }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return page(
            accounts.map { name, account in
                [
                    "routable_bank_account_id": .string(name), "balance": .text(Amount.text(account.balance)),
                    "currency": "usd",
                ]
            })
    }
}
