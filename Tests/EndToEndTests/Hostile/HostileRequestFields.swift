// Hostile field lines: line ends, names, values, Host, counts and sizes, and fields that ask for another protocol.
// Relies on the frames of HostileRequest. The gateway under test takes 32 fields and heads of 4 KiB.

enum HostileRequestFields {
    static let all = [
        HostileTable("line ends", lineEnds), HostileTable("field names", names), HostileTable("field values", values),
        HostileTable("Host", hosts), HostileTable("sizes of heads", sizes),
        HostileTable("connection fields", connection),
    ]

    private static let lineEnds =
        rows(
            .refused(400),
            [
                "X: a\nY: b", "X: a\rY: b", "X: a\r\rY: b", "X: a\n\rY: b", "X: a\r\r\nY: b", "X: a\n", "X: a\r",
                "\nX: a",
                "X:\n", "X:\r", "X\n: a", "X\r: a", "X: a\u{0}\r\nY: b", "X: a\rContent-Length: 5",
                "X: a\nContent-Length: 5",
                "X: a\nTransfer-Encoding: chunked", "X: a\rTransfer-Encoding: chunked", "X: a\r \r\nY: b",
                " X: a", "\tX: a", "X: a\r\n b", "X: a\r\n\tb", "X: a\r\n ", "X: a\r\n\t\r\nY: b", "X:\r\n a",
                "X: a\r\n Content-Length: 5", "X: a\r\n\tTransfer-Encoding: chunked", "X: a\n b", "X: a\r\n \r\n b",
                "X: a\u{B}\r\nY: b", "X: a\u{C}", "X: a\u{8}",
            ], withFields)
        + rows(.refused(400), ["\n", "\r", "\n\n", "\r\r", "\r\n\r", "\r\n\n", "\n\r\n", "\r\r\n", "\r\n \r\n"]) {
            "POST /api/x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2" + $0 + "\r{}"
        }
        + [
            HostileRequest("folded behind the request line", withLine("POST /api/x HTTP/1.1\r\n X: a"), .refused(400)),
            HostileRequest("folded Host", withHost("Host:\r\n gateway"), .refused(400)),
            HostileRequest("folded Content-Length", withLength("Content-Length:\r\n 2"), .refused(400)),
            HostileRequest("folded Transfer-Encoding", withCoding("Transfer-Encoding:\r\n chunked"), .refused(400)),
            HostileRequest(
                "LF everywhere", "POST /api/x HTTP/1.1\nHost: gateway\nContent-Length: 2\n\n{}", .refused(400)),
            HostileRequest(
                "CR everywhere", "POST /api/x HTTP/1.1\rHost: gateway\rContent-Length: 2\r\r{}", .refused(400)),
            HostileRequest("LF CR everywhere", "POST /api/x HTTP/1.1\n\rHost: gateway\n\r\n\r", .refused(400)),
        ]

    private static let names = rows(
        .refused(400),
        [
            ": a", " : a", "X : a", "X\t: a", "X\u{B}: a", "X\u{0}: a", "\u{0}X: a", "X\u{7F}: a", "X\u{1}Y: a",
            "X Y: a",
            "X\u{A0}: a", "X(Y): a", "X,Y: a", "X/Y: a", "X;Y: a", "X<Y>: a", "X=Y: a", "X?Y: a", "X@Y: a", "X[0]: a",
            "X\\Y: a", "X{Y}: a", "\"X\": a", "\u{C3}\u{9C}: a", "\u{FF}: a", "X", "X a", "X=a", "{\"a\":1}",
            "X\u{85}: a",
            "Content-Length : 2", "Content-Length\t: 2", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
            "Transfer-Encoding\u{0}: chunked", "Transfer\u{0}-Encoding: chunked", "Content-Length\u{1}: 5",
            "Host : gateway",
            "\u{8}Content-Length: 5", "Transfer-Encoding\u{B}: chunked", "Transfer Encoding: chunked",
            "Content Length: 5",
            "[Transfer-Encoding]: chunked", "Authorization : Basic eDp5",
        ], withFields)

    private static let values =
        rows(.refused(400), (0..<32).filter { ![9, 10, 13].contains($0) }.map { latin1([$0]) } + ["\u{7F}"]) {
            withFields("X-Value: a\($0)b")
        }
        + rows(
            .refused(400),
            [
                "X: \u{80}", "X: \u{FF}", "X: \u{C3}\u{A4}", "X: \u{E2}\u{80}\u{A8}", "X: a\u{0}", "X: \u{0}a",
                "X:\u{0}",
                "X: a\u{A0}", "Authorization: Basic \u{0}", "Content-Type: application/json\u{0}",
                "User-Agent: \u{1B}[2J", "Cookie: a=\u{E4}", "X: a\u{85}", "X: \u{C0}\u{AE}",
            ], withFields)
        + rows(
            .refused(400),
            [
                "Content-Type: application/json\r\nContent-Type: application/json",
                "Content-Type: application/json\r\nContent-Type: text/plain",
                "Content-Encoding: identity\r\nContent-Encoding: gzip",
                "Idempotency-Key: a\r\nIdempotency-Key: b", "Idempotency-Key: a\r\nidempotency-key: a",
                "Authorization: Basic eDp5\r\nAuthorization: Basic eDp6",
                "Expect: 100-continue\r\nExpect: 100-continue",
            ], withFields)

    private static let hosts =
        rows(
            .refused(400),
            [
                "X: y", "Hosts: gateway", "Host: gateway\r\nHost: gateway", "Host: gateway\r\nHost: evil",
                "Host: gateway\r\nHOST: gateway", "Host: gateway\r\nX: y\r\nhost: gateway", "Host:", "Host: ",
                "Host:\t",
                "Host: gateway, evil", "Host: gateway,evil", "Host: gateway evil", "Host: gateway/evil", "Host: /",
                "Host: http://gateway", "Host: user@gateway", "Host: @gateway", "Host: gateway@", "Host: gateway:80:80",
                "Host: gateway:", "Host: :80", "Host: gateway:0", "Host: gateway:65536", "Host: gateway:080",
                "Host: gateway:80x", "Host: gateway:-80", "Host: gateway: 80", "Host: gateway :80", "Host: gateway:8 0",
                "Host: gateway:99999999999999999999", "Host: [::1", "Host: ::1", "Host: [::1]x", "Host: [::1]:",
                "Host: []",
                "Host: [1]", "Host: [::g]", "Host: [:::1]", "Host: [::1::2]", "Host: [1:2:3:4:5:6:7:8:9]",
                "Host: [::1.2.3]", "Host: [::1.2.3.256]", "Host: [::1%lo]", "Host: [v1.a]", "Host: gate%77ay",
                "Host: gateway#", "Host: gateway?", "Host: gateway\\evil", "Host: \"gateway\"", "Host: (gateway)",
                "Host: gateway;evil", "Host: gate\tway", "Host: gate\u{0}way", "Host: gateway\u{0}", "Host: \u{E9}vil",
                "Host: gateway\r\n evil", "Host gateway", "Host= gateway", " Host: gateway", "Host : gateway",
                "Host: <gateway>", "Host: {gateway}", "Host: gateway|evil", "Host: gate*way", "Host: gateway!",
                "Host: gateway\r\nContent-Type: application/json\r\nHost: gateway",
            ], withHost)
        + rows(
            .refused(400),
            [
                "POST http://gateway/api/x HTTP/1.1\r\nHost: evil",
                "POST http://gateway/api/x HTTP/1.1\r\nX: y", "POST http://gateway/api/x HTTP/1.1\r\nHost:",
                "POST http://gateway:80/api/x HTTP/1.1\r\nHost: gateway",
                "POST http://gateway/api/x HTTP/1.1\r\nHost: gateway:80",
                "POST http://gateway./api/x HTTP/1.1\r\nHost: gateway",
                "POST http://gateway/api/x HTTP/1.1\r\nHost: gateway\r\nHost: gateway",
            ]
        ) { $0 + "\r\nContent-Length: 2\r\n\r\n{}" }

    private static let sizes = [
        HostileRequest("33 fields", withFields(run("X: y\r\n", 30) + "X: y"), .refused(431)),
        HostileRequest("200 fields", withFields(run("X: y\r\n", 200) + "X: y"), .refused(431)),
        HostileRequest("a long value", withFields("X: " + run("y", 5_000)), .refused(431)),
        HostileRequest("a long name", withFields(run("X", 5_000) + ": y"), .refused(431)),
        HostileRequest("many long values", withFields(run("X: \(run("y", 300))\r\n", 20) + "X: y"), .refused(431)),
        HostileRequest(
            "a value without an end", "POST /api/x HTTP/1.1\r\nHost: gateway\r\nX: " + run("y", 4_096), .refused(431)),
        HostileRequest(
            "a name without an end", "POST /api/x HTTP/1.1\r\nHost: gateway\r\n" + run("y", 4_096), .refused(431)),
        HostileRequest(
            "blanks without an end", "POST /api/x HTTP/1.1\r\nHost: gateway\r\nX:" + run(" ", 4_096), .refused(431)),
        HostileRequest("a long Host", withHost("Host: " + run("a", 4_096)), .refused(431)),
        HostileRequest("a long length", withLength("Content-Length: " + run("1", 4_096)), .refused(431)),
        HostileRequest(
            "a head one byte too large",
            exactHead(4_097), .refused(431)),
    ]

    private static let connection =
        rows(
            .refused(400),
            [
                "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: h2c", "Upgrade: TLS/1.0", "Connection: upgrade",
                "Connection: close, Upgrade", "Connection: keep-alive, UPGRADE", "HTTP2-Settings: AAMAAABkAAQAAP__",
                "Connection: HTTP2-Settings",
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA",
                "Upgrade:", "Connection: Content-Length", "Connection: Host", "Connection: close, content-length",
                "Connection: Authorization", "Connection: Content-Type", "Connection: Transfer-Encoding",
                "Connection: api_key", "Connection: X-Date", "Connection: content-sha512",
                "Connection: Idempotency-Key",
                "Connection: request-line", "Connection: date", "Connection: ,", "Connection:", "Connection: close,",
                "Connection: ,close", "Connection: a,,b", "Connection: a b", "Connection: \"close\"",
                "Connection: close;q=1",
                "Connection: a=b", "Connection: " + run("a, ", 16) + "a", "Connection: Expect",
                "Connection: Content-Encoding",
                "Trailer: Content-Length", "Trailer: Host", "Trailer: X, Transfer-Encoding", "Trailer: Authorization",
                "Trailer:", "Trailer: ,", "Trailer: X-Date", "Trailer: content_length", "Trailer: Connection",
            ], withFields)
        + rows(
            .refused(417),
            [
                "Expect: 200-ok", "Expect:", "Expect: 100-continue, x", "Expect: 100-continue;q=1", "Expect: 100",
                "Expect: x",
                "Expect: \"100-continue\"", "Expect: 100-continued", "Expect: 100 continue",
            ], withFields)

    /// A request whose head has exactly so many bytes.
    static func exactHead(_ count: Int, _ body: String = "{}") -> String {
        let start = "POST /api/x HTTP/1.1\r\nHost: gateway\r\nX: "
        let end = "\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return start + run("y", count - start.utf8.count - end.utf8.count) + end + body
    }
}
