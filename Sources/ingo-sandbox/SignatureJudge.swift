// Verifies signed requests as Kong's hmac-auth does, strictly: one Authorization, one value per signed header.
// Relies on the request being exactly as received. Refuses with Kong's four messages and notes the exact reason apart.

/// The outcome of verification.
enum SignatureVerdict: Sendable {
    /// Signed by this program (an index into the list of programs).
    case verified(program: Int)
    case refused(RefusalCause, why: String)
}

/// What the caller is told; the exact reason stays in the sandbox's own journal.
enum RefusalCause: Sendable {
    case noCredentials
    case clock
    case cannotBeVerified
    case doesNotMatch

    var message: String {
        switch self {
        case .noCredentials: "Unauthorized"
        case .clock:
            "HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication"
        case .cannotBeVerified: "HMAC signature cannot be verified"
        case .doesNotMatch: "HMAC signature does not match"
        }
    }
}

/// The rule, with the programs it knows.
struct SignatureJudge: Sendable {
    /// Seconds that a date may be off, either way.
    static let window = 300

    let programs: [Program]

    private struct Refused: Error {
        var cause: RefusalCause
        var why: String

        init(_ cause: RefusalCause, _ why: String) {
            self.cause = cause
            self.why = why
        }
    }

    /// The four parameters of `Authorization`.
    private struct Parameters {
        var username: Bytes
        var algorithm: Bytes
        var headers: Bytes
        var signature: Bytes
    }

    func judge(_ request: ReceivedRequest, now: Int) -> SignatureVerdict {
        do throws(Refused) {
            return .verified(program: try check(request, now: now))
        } catch {
            return .refused(error.cause, why: error.why)
        }
    }

    private func check(_ request: ReceivedRequest, now: Int) throws(Refused) -> Int {
        let given = request.values("authorization")
        if given.isEmpty, request.values("proxy-authorization").isEmpty {
            throw Refused(.noCredentials, "no authorization header")
        }
        guard request.values("proxy-authorization").isEmpty else {
            throw Refused(.cannotBeVerified, "proxy-authorization is read before authorization")
        }
        guard given.count == 1 else {
            throw Refused(.cannotBeVerified, "authorization occurs \(given.count) times")
        }
        guard request.values("request-line").isEmpty else {
            throw Refused(.cannotBeVerified, "a real header is called request-line")
        }
        guard let host = request.single("host"), !host.isEmpty else {
            throw Refused(.cannotBeVerified, "host does not occur exactly once")
        }
        try checkClock(request, now: now)
        let parameters = try Self.parameters(given[0])
        let names = try Self.signedNames(parameters.headers, request)
        guard let index = programs.firstIndex(where: { $0.username == parameters.username }) else {
            throw Refused(.cannotBeVerified, "unknown username")
        }
        let program = programs[index]
        guard parameters.algorithm.spells(program.algorithm.word) else {
            throw Refused(.cannotBeVerified, "algorithm is not the program's")
        }
        let message = try Self.message(names, request)
        let matches = program.secrets.map { secret in
            let mac = Digests.mac(program.algorithm, key: secret, message)
            return Digests.equal(SandboxBase64.encode(mac), parameters.signature)
        }
        guard matches.contains(true) else { throw Refused(.doesNotMatch, "signature does not match") }
        try Self.checkContent(request)
        return index
    }

    private func checkClock(_ request: ReceivedRequest, now: Int) throws(Refused) {
        for name in ["x-date", "date"] {
            let values = request.values(name)
            if values.isEmpty { continue }
            guard values.count == 1, let time = DateText.parse(values[0]) else {
                throw Refused(.clock, "\(name) is repeated or not in the RFC 1123 form")
            }
            guard abs(time - now) <= Self.window else { throw Refused(.clock, "\(name) is more than 300 s off") }
            return
        }
        throw Refused(.clock, "neither x-date nor date")
    }

    /// `hmac username="..", algorithm="..", headers="..", signature=".."`, exactly.
    private static func parameters(_ value: Bytes) throws(Refused) -> Parameters {
        var rest = value[...]
        var found: [Bytes] = []
        for opening in ["hmac username=\"", "\", algorithm=\"", "\", headers=\"", "\", signature=\""] {
            guard rest.starts(with: opening.utf8) else {
                throw Refused(.cannotBeVerified, "authorization is not in the agreed form")
            }
            rest = rest.dropFirst(opening.utf8.count)
            let end = rest.firstIndex(of: UInt8(ascii: "\"")) ?? rest.endIndex
            found.append(Bytes(rest[..<end]))
            rest = rest[end...]
        }
        guard rest.elementsEqual("\"".utf8) else {
            throw Refused(.cannotBeVerified, "authorization is not in the agreed form")
        }
        return Parameters(username: found[0], algorithm: found[1], headers: found[2], signature: found[3])
    }

    private static func signedNames(_ list: Bytes, _ request: ReceivedRequest) throws(Refused) -> [String] {
        let names = list.split(separator: 32, omittingEmptySubsequences: false).map { Bytes($0) }
        for name in names {
            guard !name.isEmpty, name.allSatisfy(isToken), name == name.lowercased else {
                throw Refused(.cannotBeVerified, "the signed list is not lower-case names with one space between")
            }
        }
        let texts = names.map(\.text)
        guard Set(texts).count == texts.count else {
            throw Refused(.cannotBeVerified, "the signed list repeats a name")
        }
        for name in ["request-line", "content-sha512", "content-length", "content-type"]
        where !texts.contains(name) {
            throw Refused(.cannotBeVerified, "\(name) is not signed")
        }
        // The header that the clock was read from is the one that has to be signed.
        let clock = request.values("x-date").isEmpty ? "date" : "x-date"
        guard texts.contains(clock) else { throw Refused(.cannotBeVerified, "\(clock) is not signed") }
        return texts
    }

    private static func message(_ names: [String], _ request: ReceivedRequest) throws(Refused) -> Bytes {
        var message: Bytes = []
        for (index, name) in names.enumerated() {
            if index > 0 { message.append(10) }
            if name == "request-line" {
                message += request.line
                continue
            }
            let values = request.values(name)
            guard values.count <= 1 else { throw Refused(.cannotBeVerified, "signed header \(name) is repeated") }
            message += "\(name):".utf8
            if let value = values.first { message += [32] + value }
        }
        return message
    }

    private static func checkContent(_ request: ReceivedRequest) throws(Refused) {
        guard let length = request.single("content-length"), length.spells(String(request.body.count)) else {
            throw Refused(.doesNotMatch, "content-length is not the body's")
        }
        guard let type = request.single("content-type"), type.spells("application/json") else {
            throw Refused(.cannotBeVerified, "content-type is not exactly application/json")
        }
        guard let digest = request.single("content-sha512"),
            Digests.equal(digest, SandboxBase64.encode(Digests.sha512(request.body)))
        else { throw Refused(.doesNotMatch, "content-sha512 is not the body's") }
    }
}
