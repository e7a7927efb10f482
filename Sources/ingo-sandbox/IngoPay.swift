// IngoPay: tokenise, push and pull, each once per unique id (101 for a repeat, 104 while the first is still running).
// Relies on the published requests and envelopes. The HTTP status that goes with a body code is the sandbox's choice.

/// Operations of IngoPay by path.
enum IngoPay {
    private static let accountTypes = ["CA", "AC", "SD", "RT", "BP"]

    /// An answer, and the operation that is to be ended once the answer may be seen.
    struct Outcome {
        var answer: SandboxAnswer
        var running: Bytes?
    }

    static func answer(_ world: inout World, _ call: ProductCall) -> Outcome {
        let nested = call.path == "/gateway/v12/debit/process"
        guard nested || call.path == "/gateway/verify" || call.path == "/gateway/process" else {
            return Outcome(
                answer: IngoPayRefusal(code: 404, message: "unknown endpoint").answer(nested: false, status: 404))
        }
        guard call.request.method.spells("POST") else {
            var refused = IngoPayRefusal(code: 405, message: "use POST").answer(nested: nested, status: 405)
            refused.fields.append(("Allow", "POST"))
            return Outcome(answer: refused)
        }
        do throws(IngoPayRefusal) {
            guard call.json.isObject else { throw .incorrect("body") }
            try checkLedger(call)
            return nested ? try debit(&world, call) : try flat(&world, call)
        } catch {
            return Outcome(answer: error.answer(nested: nested))
        }
    }

    /// Ends an operation that `answer` left running: from now on a repeat is 101.
    static func finish(_ world: inout World, _ scope: Bytes) {
        world.finished[scope]?.inProgress = false
    }

    /// Where a body names the program's ledger, it names the program's key too.
    private static func checkLedger(_ call: ProductCall) throws(IngoPayRefusal) {
        for ledger in [call.json["ledger"], call.json["transaction"]?["ledger"]] {
            guard let ledger, ledger != .null else { continue }
            guard let key = ledger["api_key"]?.string, !call.program.apiKey.isEmpty,
                Digests.equal(key, call.program.apiKey)
            else { throw .incorrect("ledger.api_key") }
        }
    }

    // MARK: v11

    private static func flat(_ world: inout World, _ call: ProductCall) throws(IngoPayRefusal) -> Outcome {
        guard let participant = call.json["participant_id"] else { throw .missing("participant_id") }
        guard participant == .number(call.program.participantID) else { throw .incorrect("participant_id") }
        try integer(call.json, "timestamp")
        guard call.json["version"] == 11 else { throw .incorrect("version") }
        let push = call.path == "/gateway/process"
        if push || call.json["amount"] != nil {
            guard let amount = call.json["amount"]?.number, isPositive(amount) else { throw .incorrect("amount") }
        }
        let key = try uniqueID(call.json)
        let token = try source(call.json, world)
        return once(&world, call, key) { world in
            var data: [JSONMember] = []
            func add(_ name: String, _ value: WireJSON) {
                data.append(JSONMember(name: Bytes(name.utf8), value: value))
            }
            if push {
                add("transaction_id", .int(100_000 + world.ledger.count))
                add("amount", call.json["amount"] ?? nil)
            } else {
                let token = token ?? Bytes(Fresh.identifier("").utf8)
                world.tokens.insert(token)
                add("customer_account_token", .string(token))
                add("last_4", .string(Bytes((call.json["account"]?.string ?? token).suffix(4))))
                add("request_timestamp", call.json["timestamp"] ?? nil)
                add("count", 1)
            }
            add("participant_unique_id1", .string(key))
            if let second = call.json["participant_unique_id2"] { add("participant_unique_id2", second) }
            return .object(data)
        }
    }

    // MARK: v12

    private static func debit(_ world: inout World, _ call: ProductCall) throws(IngoPayRefusal) -> Outcome {
        guard let request = call.json["request"], request.isObject else { throw .missing("request") }
        guard let transaction = call.json["transaction"], transaction.isObject else { throw .missing("transaction") }
        guard let participant = request["participant_id"] else { throw .missing("request.participant_id") }
        guard participant == .string(call.program.participantID) else { throw .incorrect("request.participant_id") }
        guard let time = request["timestamp"]?.string, time.decimal != nil else {
            throw .incorrect("request.timestamp")
        }
        guard let amount = transaction["amount"]?.string, Amount.parse(amount) != nil else {
            throw .incorrect("transaction.amount")
        }
        guard let identifiers = transaction["participant_unique_ids"] else {
            throw .missing("transaction.participant_unique_ids")
        }
        let key = try uniqueID(identifiers)
        _ = try source(transaction, world)
        return once(&world, call, key) { world in
            [
                "transaction_id": .text("\(100_000 + world.ledger.count)"), "amount": .string(amount),
                "participant_unique_ids": identifiers,
            ]
        }
    }

    // MARK: Shared

    private static func integer(_ json: WireJSON, _ name: String) throws(IngoPayRefusal) {
        guard let value = json[name] else { throw .missing(name) }
        guard let text = value.number, text.decimal != nil else { throw .incorrect(name) }
    }

    private static func isPositive(_ number: Bytes) -> Bool {
        guard let value = Double(number.text) else { return false }
        return value >= 0.01 && value.isFinite
    }

    private static func uniqueID(_ json: WireJSON) throws(IngoPayRefusal) -> Bytes {
        guard let value = json["participant_unique_id1"], value != .null else {
            throw .missing("participant_unique_id1")
        }
        guard let text = value.string, (1...255).contains(text.count) else {
            throw .incorrect("participant_unique_id1")
        }
        return text
    }

    /// A token that is known, or an account of a known type; never both.
    private static func source(_ json: WireJSON, _ world: World) throws(IngoPayRefusal) -> Bytes? {
        guard let type = json["account_type"]?.string else { throw .missing("account_type") }
        guard accountTypes.contains(type.text) else { throw .incorrect("account_type") }
        let account = json["account"]
        if let token = json["customer_account_token"]?.string {
            guard account == nil, world.tokens.contains(token) else { throw .incorrect("customer_account_token") }
            return token
        }
        guard let number = account?.string, !number.isEmpty else { throw .missing("account") }
        if ["AC", "SD", "RT"].contains(type.text) {
            guard let routing = json["routing_number"]?.string else { throw .missing("routing_number") }
            guard routing.count == 9, routing.isDigits else { throw .incorrect("routing_number") }
        }
        return nil
    }

    /// Runs `operation` for a new unique id; a repeat starts nothing, whatever else it says.
    private static func once(
        _ world: inout World, _ call: ProductCall, _ key: Bytes, _ operation: (inout World) -> WireJSON
    ) -> Outcome {
        let nested = call.path == "/gateway/v12/debit/process"
        let scope = World.scope(call, key)
        if let earlier = world.finished[scope] {
            world.ledger[earlier.entry].replayed += 1
            let code = earlier.inProgress ? 104 : 101
            let message = earlier.inProgress ? "Request is being processed" : "Request was already processed"
            let data = earlier.inProgress ? [:] : WireJSON.parse(earlier.parameters) ?? [:]
            return Outcome(answer: envelope(code, message, data, nested, call))
        }
        let entry = world.execute(call, key: key)
        let data = operation(&world)
        let answer = envelope(100, "Success", data, nested, call)
        world.finished[scope] = FinishedOperation(
            parameters: data.bytes, answer: answer, entry: entry, inProgress: true)
        return Outcome(answer: answer, running: scope)
    }

    private static func envelope(
        _ code: Int, _ message: String, _ data: WireJSON, _ nested: Bool, _ call: ProductCall
    ) -> SandboxAnswer {
        if nested {
            return SandboxAnswer(
                200,
                [
                    "request": call.json["request"] ?? [:],
                    "response": ["status": .text("\(code)"), "message": .text(message), "duration": "0.0101"],
                    "transaction": data,
                ])
        }
        return SandboxAnswer(
            200, ["status": .int(code), "client_message": .text(message), "data": data, "time": "0.0101"])
    }
}
