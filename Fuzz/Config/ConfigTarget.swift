// Fuzz target: the configuration loader, from memory. Every problem has its place, says what to do and shows no secret;
// what is accepted keeps its ranges and can be used by the other rooms. Passes over inputs that name device files:
// to open one may do something.

import Config
import FuzzHarness
import HTTP
import Policy
import Signing

private let environment = [
    "HMAC": "vErYsEcReT-hmac-0123", "KEY": "vErYsEcReT-key", "SPACED": "vErYsEcReT key", "EMPTY": "",
    "LONG": String(repeating: "vErYsEcReT", count: 410), "CREDENTIALS_DIRECTORY": "/nonexistent",
]

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    let text = input()
    guard !contains(text, "/dev"), !contains(text, "/proc"), !contains(text, "/sys") else { return }
    let variables = Environment(environment)
    let (settings, problems) = SettingsLoader.load(text: text.span, name: "fuzz.yaml", environment: variables)
    let again = SettingsLoader.load(text: text.span, name: "fuzz.yaml", environment: variables)
    expect(again.1 == problems, "the same file has the same problems")
    expect((settings == nil) == problems.contains { $0.severity == .error }, "settings only without errors")
    checkProblems(problems, text)
    guard let settings else { return }
    expect(settings.warnings == problems, "the warnings are the problems")
    checkRanges(settings)
    if let store = settings.store { checkStore(store) }
    checkCallers(settings)
    for credential in settings.credentials { checkCredential(credential) }
    checkRoutes(settings)
}

private func contains(_ text: [UInt8], _ word: String) -> Bool {
    let word = Array(word.utf8)
    guard text.count >= word.count else { return false }
    return (0...(text.count - word.count)).contains { text[$0..<$0 + word.count].elementsEqual(word) }
}

private func checkProblems(_ problems: [Problem], _ text: [UInt8]) {
    // A line ends with LF, CR, or one of Unicode's separators (YAML 1.1). What stands behind the last one is a line
    // too, and libyaml takes the end of a text without a final line end for one more.
    let lines = text.filter { $0 == 10 || $0 == 13 || $0 == 0x85 || $0 == 0xA8 || $0 == 0xA9 }.count + 2
    let hidesSecrets = !contains(text, "vErYsEcReT")
    let hasCanary = hidesSecrets && CanaryPlaces(text).areValues
    var last = (0, 0)
    for problem in problems {
        expect(problem.file == "fuzz.yaml", "a problem names its file")
        expect((1...lines).contains(problem.line), "a problem has a line of the file: \(problem.line) of \(lines)")
        expect((1...text.count + 1).contains(problem.column), "a problem has a column: \(problem.column)")
        expect((problem.line, problem.column) >= last, "problems are in the file's order")
        last = (problem.line, problem.column)
        expect(!problem.message.isEmpty && !problem.message.hasSuffix("."), "a problem says what is wrong")
        expect(
            !problem.remedy.isEmpty && !problem.remedy.hasSuffix("."), "a problem says what to do: \(problem.message)")
        let shown = problem.text
        let isPrintable = shown.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar != "\u{2028}"
                && scalar != "\u{2029}"
        }
        expect(isPrintable, "a problem is one line of printable characters")
        expect(shown.utf8.count < 16_384, "a problem is of readable length")
        expect(!hidesSecrets || !shown.contains("vErYsEcReT"), "no secret of the environment is shown")
        expect(!hasCanary || !shown.contains("LiTeRaL"), "no secret that was written into the file is shown: \(shown)")
    }
}

/// Where the word that stands for a secret occurs in the input.
private struct CanaryPlaces {
    private(set) var areValues = true

    /// Whether it stands only behind a key that takes a secret, and has no colon behind it that would make it a key.
    init(_ text: [UInt8]) {
        let word = Array("LiTeRaL".utf8)
        let places = [
            "secret: ", "secret: \"", "secret: \"file:/", "secret: \"env:", "value: \"", "value: ", "key: \"", "key: ",
            "token: ", "token: \"",
        ]
        .map { Array($0.utf8) }
        guard text.count >= word.count else { return }
        for at in 0...(text.count - word.count) where text[at..<at + word.count].elementsEqual(word) {
            let isBehindKey = places.contains { place in
                at >= place.count && text[(at - place.count)..<at].elementsEqual(place)
            }
            let rest = text[(at + word.count)...]
            let line = rest.prefix { $0 != 10 && $0 != 13 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}") }
            if !isBehindKey || line.contains(UInt8(ascii: ":")) || contains(text, "?") { areValues = false }
        }
    }
}

private func checkRanges(_ settings: Settings) {
    let limits = settings.limits
    expect((1...64).contains(settings.listeners.count), "1 to 64 listeners")
    expect((1...256).contains(settings.workers ?? 1), "1 to 256 workers")
    expect((1...256).contains(settings.credentials.count), "1 to 256 credentials")
    expect((1...256).contains(settings.upstreams.count), "1 to 256 upstreams")
    expect((1...1_000).contains(settings.routes.count), "1 to 1000 routes")
    expect((1_024...64 * 1_024 * 1_024).contains(limits.maxBody), "max_body in its range")
    expect((1_024...256 * 1_024).contains(limits.maxHead), "max_head in its range")
    expect((256...limits.maxHead).contains(limits.maxLine), "max_line in its range")
    expect((8...1_000).contains(limits.maxFields), "max_headers in its range")
    expect((1...512).contains(limits.maxJSONDepth), "max_json_depth in its range")
    expect((1...1_000_000).contains(settings.connections.maxConnections), "max_connections in its range")
    expect((4_096...1_024 * 1_024).contains(settings.connections.relayBuffer), "relay_buffer in its range")
}

/// The other rooms take rates, paces and names as they are: their own preconditions hold. A token is not there.
private func checkCallers(_ settings: Settings) {
    expect(LimitTable.capacities.contains(settings.connections.quotaKeys), "quota_keys in its range")
    _ = QuotaRules(settings.quotas)
    expect(settings.quotas.allSatisfy { QuotaSettings.isName($0.name) }, "a quota has a name that can be shown")
    expect(settings.upstreams.allSatisfy { $0.pace?.isPossible != false }, "a pace is possible")
    let callers = settings.callers ?? []
    expect(settings.callers?.isEmpty != true, "at least one caller, or the key is absent")
    for (index, caller) in callers.enumerated() {
        expect(!callers[..<index].contains { $0.identity == caller.identity }, "no two callers have the same identity")
        let routes = caller.routes ?? [0]
        expect(!routes.isEmpty && routes.allSatisfy(settings.routes.indices.contains), "a caller's routes are there")
        expect(zip(routes, routes.dropFirst()).allSatisfy { $0 < $1 }, "in their order, each once")
        switch caller.identity {
        case .peer(let uid, let gid): expect(uid != nil || gid != nil, "a process is known by something")
        case .certificate(.publicKey(let digest)): expect(digest.count == 32, "a digest of SHA-256")
        case .certificate(.commonName(let name)): expect(!name.isEmpty, "a common name")
        case .token: break
        }
    }
    expect(!String(reflecting: callers).contains("vErYsEcReT"), "a caller does not describe its token")
    expect(settings.listeners.allSatisfy { !$0.address.isUnix || $0.tls == nil }, "no TLS on Unix sockets")
}

extension ListenAddress {
    fileprivate var isUnix: Bool {
        if case .unix = self { return true }
        return false
    }
}

private func checkStore(_ store: StoreSettings) {
    let limits = store.limits
    expect((store.path != nil) == (store.kind == .sqlite), "a file has a path, memory has none")
    expect(store.path?.hasPrefix("/") != false, "an absolute path")
    expect(store.kind == .memory || !store.keys.isEmpty, "a file has a key")
    expect(
        store.keys.count <= 4 && store.keys.allSatisfy { (16...4_096).contains($0.count) }, "keys of 16 bytes or more")
    expect((60_000...34_560_000_000).contains(limits.retentionMilliseconds), "retention in its range")
    expect((60_000...34_560_000_000).contains(limits.unknownRetentionMilliseconds), "unknown_retention in its range")
    expect((1...1_000_000_000).contains(limits.maxKeys), "max_keys in its range")
    expect((1 << 20...1 << 40).contains(limits.maxSize), "max_size in its range")
    expect((0...16 << 20).contains(limits.maxAnswer), "max_answer in its range")
    expect((0...1_000_000).contains(limits.maxWaiting), "max_waiting in its range")
    expect((1...1_000_000).contains(limits.maxQuestions), "max_questions in its range")
    expect((10...60_000).contains(limits.timeoutMilliseconds), "timeout in its range")
}

/// One scan finds the places of a key and those of the credential; no header among them means another thing.
private func checkIdempotency(_ settings: IdempotencySettings, _ credential: CredentialSettings) {
    expect((1...IdempotencySettings.maxKeys).contains(settings.keys.count), "1 or 2 places of a key")
    expect(settings.volatile.count <= IdempotencySettings.maxVolatile, "8 volatile fields at most")
    expect(settings.notFinal.count <= IdempotencySettings.maxCodes, "32 codes at most")
    expect(settings.notFinalRanges.isEmpty || settings.code != nil, "ranges of codes have their place")
    expect(settings.notFinal.isEmpty || settings.code != nil, "codes have their place")
    expect((0...3_600_000).contains(settings.repeatAfterMilliseconds), "repeat_after in its range")
    expect((0...600_000).contains(settings.waitMilliseconds), "wait in its range")
    var pointers = BodyAdditions(credential).query.pointers
    for key in settings.keys {
        switch key {
        case .header(let name):
            let header = KnownHeader.mistakable(Array(name.utf8).span)
            expect(header == .other || header == .idempotencyKey, "a header that means nothing else")
        case .pointer(let pointer):
            expect(!settings.volatile.contains(pointer), "a key is not volatile")
            pointers.append(pointer)
        }
    }
    expect(JSONQuery(pointers).pointers.count <= JSONQuery.maxPointers, "a scan looks for 16 fields at most")
}

/// A credential can be compiled and tells nothing.
private func checkCredential(_ credential: CredentialSettings) {
    let additions = BodyAdditions(credential)
    expect(additions.query.pointers.count <= JSONQuery.maxPointers, "a scan looks for 16 fields at most")
    expect((1...4_096).contains(credential.secret.count), "a secret of 1 to 4096 bytes")
    let isQuotable = credential.username.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    expect(isQuotable && !credential.username.isEmpty, "a username that can be quoted")
    expect(!String(reflecting: credential).contains("vErYsEcReT"), "a credential does not describe its secret")
    var scanner = JSONScanner()
    for field in credential.fields {
        let body = Array("{\"v\":".utf8) + field.json + [UInt8(ascii: "}")]
        expect(scanner.scan(body.span, query: JSONQuery([]), maxDepth: 1) == nil, "a product field is JSON")
    }
}

/// Every route leads to an upstream and a credential, and what it sends is a request that we would take ourselves.
private func checkRoutes(_ settings: Settings) {
    let table = RouteTable(settings.routes)
    for upstream in settings.upstreams {
        expect(isRequest("\(upstream.basePath)/x", host: upstream.authority), "an upstream can be addressed")
        expect(
            upstream.port > 0 && !upstream.host.isEmpty && !upstream.serverName.isEmpty, "an upstream has an address")
    }
    for route in settings.routes {
        if let idempotency = route.idempotency {
            expect(settings.store != nil, "what is protected has a store")
            checkIdempotency(idempotency, settings.credentials[route.credential])
        }
        expect(settings.upstreams.indices.contains(route.upstream), "a route has an upstream")
        expect(settings.credentials.indices.contains(route.credential), "a route has a credential")
        let path: String
        switch route.match {
        case .exact(let text): path = text
        case .prefix(let text): path = text
        }
        expect(path.hasPrefix(route.stripPrefix), "a route strips what its path begins with")
        let rest = path.dropFirst(route.stripPrefix.count)
        let base = settings.upstreams[route.upstream].basePath
        if path.hasSuffix("/") || !isPrefix(route) {
            expect(isRequest(path, host: "h"), "a route's path is one that a request can have")
            expect(isRequest(base + rest, host: "h"), "and what is left of it makes a target")
        }
        for method in Method.allCases where route.methods.contains(method) {
            expect(table.find(method, Array(path.utf8).span) != .noRoute, "a route takes its own path")
        }
    }
}

private func isPrefix(_ route: RouteSettings) -> Bool {
    if case .prefix = route.match { return true }
    return false
}

private func isRequest(_ target: some StringProtocol, host: String) -> Bool {
    let bytes = Array("POST \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
    var parser = RequestHeadParser()
    var head = RequestHead()
    return parser.feed(bytes.span, limits: FuzzInput.wideLimits, into: &head) == .complete
        && head.length == bytes.count && head.fields.count == 1
}
