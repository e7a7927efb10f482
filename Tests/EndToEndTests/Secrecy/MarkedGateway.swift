// A gateway with everything on that could tell something, and requests that are marked all over.
// Relies on AdminUnderTest. Refuses nothing: what its requests come to is told by the log.

import Foundation
import TestSupport

final class MarkedGateway {
    let admin: AdminUnderTest
    /// Opens with each request that an upstream holds.
    let asked: Gate
    /// Lets one held request go on.
    let answer: Gate
    let folder: TemporaryFolder
    /// What the gateway itself answered.
    private(set) var ownAnswers: [Message] = []
    /// Connections that stay open until the gateway stops.
    private(set) var left: [Caller] = []
    private var keys = 0

    var gateway: GatewayUnderTest { admin.gateway }
    var logPath: String { folder.path + "/access.log" }

    /// `logsToFile`: to a file of its own instead of standard output.
    init(logsToFile: Bool) throws {
        let asked = Gate()
        let answer = Gate()
        self.asked = asked
        self.answer = answer
        folder = try TemporaryFolder()
        let upstream = try FakeUpstream { Self.converse($0, asked, answer) }
        let gone = try FakeUpstream()
        gone.stop()
        var setup = Setup(upstream, .sqlite)
        setup.upstreams.append(gone)
        setup.secret = SecretMark.secret.rawValue
        setup.keyPlace = "header"
        setup.credential =
            "    fields: {/participant_id: 12345}\n    signed_headers: \"request-line x-date content-sha512 x-own\"\n"
        setup.store?.path = folder.path + "/keys.db"
        setup.store?.keys = [SecretMark.storeKey.rawValue]
        setup.upstream = "    timeouts: {first_byte: 500ms, idle: 500ms}\n    connections: {keep_alive: 0}\n"
        // A product whose bodies have ids.
        setup.upstream += "    product: ingopay\n"
        let held = "product: ingopay, url: \"http://127.0.0.1:\(upstream.port)\""
        setup.upstream += "  held: {\(held), pace: none}\n"
        setup.upstream += "  gone: {product: ingopay, url: \"http://127.0.0.1:\(gone.port)\", pace: none}\n"
        setup.upstream +=
            "  slow: {\(held),"
            + " pace: {rate: 1/h, burst: 1, queue: 0, max_wait: 0}}\n"
        for name in ["held", "gone", "slow"] {
            setup.routes +=
                "  - {name: \(name), methods: [POST], prefix: /\(name), upstream: \(name), credential: program}\n"
        }
        setup.limits = "  body_timeout: 3s\n"
        setup.log = "requests: all, bodies: redacted" + (logsToFile ? ", path: \"\(folder.path)/access.log\"" : "")
        let callers = "callers: {payouts: {token: \"env:MARKED\"}}\n"
        admin = try AdminUnderTest(
            Reloadable(setup, environment: ["MARKED": SecretMark.token.rawValue], more: AdminUnderTest.key + callers))
    }

    /// An id that is an account number, with escapes.
    private static let marks: String = {
        let escapes = SecretMark.account.rawValue.utf8.map { "\\u00\(String($0, radix: 16))" }
        return "\"participant_unique_id1\":\"\(escapes.joined())\""
    }()

    private static func converse(_ conversation: Conversation, _ asked: Gate, _ answer: Gate) {
        let mark = SecretMark.tokenOfAnswer.rawValue
        let account = SecretMark.account.rawValue
        let body =
            "{\"status\":100,\"token\":\"\(mark)\",\"account_number\":\"\(account)\",\"\(mark)\":\"\(account)\","
            + "\"data\":{\"transaction_id\":\(account),\"tracer_id\":\"\(mark)\",\(marks)}}"
        let head = "HTTP/1.1 200 OK\r\nX-Account: \(account)\r\n"
        while let request = conversation.request() {
            switch request.startLine.split(separator: "/").dropFirst(2).first {
            case "lose": return
            case "garbage":
                conversation.send("\(mark) \(account)\r\n\r\n")
                return
            case "cut":
                conversation.send(head + "Content-Length: 900\r\n\r\n" + body)
                _ = conversation.wire.isReadable(within: 100)
                return
            case "chunk":
                conversation.send(head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n\(account)\r\n")
                _ = conversation.wire.isReadable(within: 100)
                return
            case "hang": _ = conversation.wire.isReadable(within: 5_000)
            case "stall":
                conversation.send(head + "Content-Length: 900\r\n\r\n" + body)
                _ = conversation.wire.isReadable(within: 5_000)
            case "wait":
                asked.open()
                answer.pass()
                conversation.answer(body)
            default: conversation.answer(body, headers: "X-Account: \(account)\r\n")
            }
        }
    }

    /// A request with marks in path, query, fields and body. `more`: further members of the body.
    func request(
        _ path: String, key: String? = nil, more: String = "", token: SecretMark = .token, _ field: String = "X-A: 1"
    ) -> String {
        keys += 1
        let account = SecretMark.account.rawValue
        let ssn = SecretMark.ssn.rawValue
        let members =
            "\"key\":\"\(key ?? "\(account)-\(keys)")\",\"account_number\":\"\(account)\",\"ssn\":\"\(ssn)\","
            + "\"status\":\(account),\"api_key\":\"\(SecretMark.apiKeyOfBody.rawValue)\",\"\(account)\":[\(account)],"
            + "\"secret\":\"\(SecretMark.secretOfBody.rawValue)\",\"token\":\"\(SecretMark.token.rawValue)\","
            + "\"transaction_id\":\(account),\"tracer_id\":\"\(ssn)\",\(Self.marks),"
            + "\"x\":\"{\\\"account\\\":\\\"\(account)\\\",\\\"memo\\\":\\\"\(ssn)\\\"}\""
        // A gateway takes no path with an escaped slash, nor needless escapes.
        let secretInPath = SecretMark.secretOfBody.rawValue.replacing(" ", with: "%20")
        let query = "ssn=\(ssn)&api_key=\(SecretMark.apiKeyOfBody.escaped)&token=\(SecretMark.token.rawValue)"
        return post(
            "\(path)/\(account)/\(secretInPath)?\(query)", "{\(members)\(more)}",
            "Authorization: Bearer \(token.rawValue)", "User-Agent: \(account)", "X-\(account): \(ssn)",
            "Cookie: secret=\(SecretMark.secretOfBody.rawValue)", "X-Request-Id: \(account)",
            "traceparent: \(account)", field)
    }

    /// Asks where the gateway itself is to answer.
    func refused(_ request: String) throws { ownAnswers.append(try gateway.ask(request)) }

    /// Asks where an upstream's answer comes, or the beginning of one.
    func relayed(_ request: String) { _ = try? gateway.ask(request) }

    /// Sends all but the last byte.
    func begun() throws -> Caller {
        let caller = try gateway.caller()
        try caller.send(String(request("/open").dropLast(1)))
        _ = caller.wire.isReadable(within: 100)
        return caller
    }

    /// Sends a request whose upstream waits.
    func held() throws -> Caller {
        let caller = try gateway.caller()
        try caller.send(request("/held/wait"))
        guard asked.pass() else { throw SupportFailure("the upstream was not asked") }
        return caller
    }

    func leave(_ caller: Caller) { left.append(caller) }
    func keep(_ answer: Message) { ownAnswers.append(answer) }
}
