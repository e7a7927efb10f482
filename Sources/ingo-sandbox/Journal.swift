// The last requests as received, with what was made of them, and counts of what came in.
// Relies on being used under one lock. Forgets the oldest entries beyond its limits.

/// One request as received and its outcome.
struct JournalEntry: Sendable {
    var number: Int
    var connection: Int
    var request: ReceivedRequest
    var verdict: SignatureVerdict
    var username: String?
    var status: Int

    /// In words: `verified`, or why not.
    var verdictText: String {
        switch verdict {
        case .verified: "verified"
        case .refused(_, let why): "refused: \(why)"
        }
    }

    var json: WireJSON {
        let body = request.body
        let isText = String(validating: body, as: UTF8.self) != nil
        return [
            "n": .int(number), "connection": .int(connection), "request_line": .text(request.line.text),
            "headers": .array(request.fields.map { [.text($0.name.text), .text($0.value.text)] }),
            "body": isText ? .string(body) : nil, "body_base64": .string(SandboxBase64.encode(body)),
            "verified": .bool(username != nil), "verdict": .text(verdictText),
            "username": username.map(WireJSON.text) ?? nil, "status": .int(status),
        ]
    }

    /// The request as the upstream saw it, for people.
    var page: String {
        var text = "--- request \(number), connection \(connection) ---\n\(request.line.text)\n"
        for field in request.fields { text += "\(field.name.text): \(field.value.text)\n" }
        if !request.body.isEmpty { text += "\n\(request.body.text)\n" }
        return text + "--- \(verdictText)\(username.map { " (username \($0))" } ?? "") -> \(status) ---\n\n"
    }

    var line: String { "\(number) \(request.method.text) \(request.target.text) \(status) \(verdictText)\n" }
}

/// How fast requests came, for those who promise a pace. A request counts as on its way from when its head was read
/// until before its answer is written: never are more counted at once than there were. One that is read late may make
/// the second after it fuller than it was sent.
struct PaceCount: Sendable {
    static let window: UInt64 = 1_000_000_000
    static let maxBegins = 1_000_000

    private(set) var concurrent = 0
    private(set) var concurrentMax = 0
    private(set) var perSecondMax = 0
    /// Begins of the last second; those before `first` are older.
    private var begins: [UInt64] = []
    private var first = 0

    /// At monotonic nanoseconds, which never go back here.
    mutating func began(at now: UInt64) {
        concurrent += 1
        concurrentMax = max(concurrentMax, concurrent)
        while first < begins.count && now - begins[first] > Self.window { first += 1 }
        if first > 1_024 && first * 2 > begins.count || begins.count == Self.maxBegins {
            begins.removeFirst(max(first, 1))
            first = 0
        }
        begins.append(now)
        perSecondMax = max(perSecondMax, begins.count - first)
    }

    mutating func ended() { concurrent -= 1 }

    /// Forgets the highest numbers, not the requests on their way.
    mutating func clear() {
        let concurrent = concurrent
        self = PaceCount()
        self.concurrent = concurrent
        concurrentMax = concurrent
    }
}

/// Entries and counts.
struct Journal: Sendable {
    static let maxEntries = 1_000
    static let maxBytes = 32 * 1024 * 1024

    private(set) var entries: [JournalEntry] = []
    private var bytes = 0
    var connections = 0
    var open = 0
    var mostOpen = 0
    var requests = 0
    var inFlight = 0
    var mostInFlight = 0
    var verified = 0
    var refused = 0
    var malformed = 0
    var pace = PaceCount()

    mutating func add(_ entry: JournalEntry) {
        switch entry.verdict {
        case .verified: verified += 1
        case .refused: refused += 1
        }
        entries.append(entry)
        bytes += entry.request.body.count
        // Forgetting in batches keeps the cost of an entry constant.
        guard entries.count > 2 * Self.maxEntries || bytes > Self.maxBytes else { return }
        entries.removeFirst(max(entries.count - Self.maxEntries, entries.count / 2))
        bytes = entries.reduce(0) { $0 + $1.request.body.count }
    }

    /// Forgets requests and counts, not the connections that are open.
    mutating func clear() {
        var fresh = Journal()
        fresh.open = open
        fresh.mostOpen = open
        fresh.inFlight = inFlight
        fresh.pace = pace
        fresh.pace.clear()
        self = fresh
    }

    var counts: WireJSON {
        [
            "connections": .int(connections), "open": .int(open), "most_open": .int(mostOpen),
            "requests": .int(requests), "in_flight": .int(inFlight), "most_in_flight": .int(mostInFlight),
            "verified": .int(verified), "refused": .int(refused), "malformed": .int(malformed),
            "concurrent_max": .int(pace.concurrentMax), "per_second_max": .int(pace.perSecondMax),
        ]
    }
}
