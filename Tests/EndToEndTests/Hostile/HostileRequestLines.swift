// Hostile request lines: methods, spaces, targets, versions, and what is no HTTP/1.1 at all.
// Relies on the frames of HostileRequest. The gateway under test has a line limit of 1 KiB and routes below /api.

enum HostileRequestLines {
    static let all = [
        HostileTable("methods", methods), HostileTable("spaces of the request line", spaces),
        HostileTable("versions", versions, foreign), HostileTable("targets", badTargets, forms, long),
        HostileTable("paths that leave", paths),
    ]

    private static let methods =
        rows(
            .refused(501),
            [
                "CONNECT", "TRACE", "PRI", "BREW", "post", "Post", "POSTX", "PROPFIND", "POSTPOSTPOST", "G",
                "!#$%&'*+-.^_`|~",
            ]
        ) { withLine("\($0) /api/x HTTP/1.1") }
        + rows(
            .refused(400),
            [
                "PO ST", "PO\tST", "PO(ST", "POST,", "\"POST\"", "{POST}", "PO/ST", "POST:", "[POST]", "PO\u{0}ST",
                "\u{0}POST", "\u{1}", "PO\u{7F}ST", "P\u{C3}\u{96}ST", "\u{FF}", "@", "POST\u{A0}", "(", "=", "<POST>",
                "PO\\ST",
                "\u{EF}\u{BB}\u{BF}POST", ";", "?",
            ]
        ) { withLine("\($0) /api/x HTTP/1.1") }

    private static let spaces =
        rows(
            .refused(400),
            [
                " POST /api/x HTTP/1.1", "\tPOST /api/x HTTP/1.1", "POST  /api/x HTTP/1.1", "POST /api/x  HTTP/1.1",
                "POST /api/x HTTP/1.1 ", "POST /api/x HTTP/1.1\t", "POST\t/api/x HTTP/1.1", "POST /api/x\tHTTP/1.1",
                "POST\u{B}/api/x HTTP/1.1", "POST /api/x\u{C}HTTP/1.1", "POST /api/x HTTP/1.1 x", "POST /api/x",
                "POST", "POST ", "POST /api/x ", "POST HTTP/1.1", "POST  HTTP/1.1", "POST /api/x y HTTP/1.1",
                "POST \t/api/x HTTP/1.1", "POST\r /api/x HTTP/1.1", "POST /api/x\r HTTP/1.1",
                "POST /api/x\u{A0}HTTP/1.1", "/api/x HTTP/1.1", "HTTP/1.1 POST /api/x", ": x", "POST: /api/x",
                "GET /api/x",
            ], withLine)
        + rows(
            .refused(400),
            [
                "\r\n", "\r\n\r\n", "\n", "\r", " \r\n", "\n\n", "\r\r\n", "0\r\n\r\n", "{}",
            ]
        ) { $0 + withTarget("/api/x") }
        + rows(.refused(400), ["\n", "\r", "\r\r\n", "\n\r", " \n", "\u{0}\r\n", "\u{85}", "\u{2028}".latinCut]) {
            "POST /api/x HTTP/1.1" + $0 + "Host: gateway\r\nContent-Length: 2\r\n\r\n{}"
        }

    private static let versions =
        rows(
            .refused(505),
            [
                "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/1.2", "HTTP/1.9", "HTTP/0.0", "HTTP/9.9",
                "HTTP/0.1",
            ]
        ) { withLine("POST /api/x \($0)") }
        + rows(
            .refused(400),
            [
                "HTTP/2", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/11", "HTTP/1.10", "HTTP/01.1", "HTTP/1.01",
                "HTTP/1.1.1",
                "HTTP/1,1", "HTTP/1 .1", "HTTP /1.1", "HTTP/ 1.1", "http/1.1", "Http/1.1", "hTTP/1.1", "HTTPS/1.1",
                "HTP/1.1", "HTTP1.1", "HTTP-1.1", "HTTP\\1.1", "HTTP//1.1", "HTTP/+1.1", "HTTP/1.-1",
                "HTTP/a.1", "HTTP/1.x", "HTTP/1.\u{B9}", "ICY/1.1", "RTSP/1.0", "SHTTP/1.3", "H2C", "1.1", "HTTP/",
                "HTTP/1.1,", "\"HTTP/1.1\"", "HTTP/1.1;q=1", "HTTP/0x1.1", "HTTP/1.1HTTP/1.1",
            ]
        ) { withLine("POST /api/x \($0)") }

    /// What begins like no request.
    private static let foreign = [
        HostileRequest("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .refused(505)),
        HostileRequest(
            "the preface and frames", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}",
            .refused(505)),
        HostileRequest("HTTP/0.9", "GET /api/x\r\n", .refused(400)),
        HostileRequest("HTTP/0.9 with fields", "GET /api/x\r\nHost: gateway\r\n\r\n", .refused(400)),
        HostileRequest("a TLS hello", "\u{16}\u{3}\u{1}\u{0}\u{5}\u{1}\u{0}\u{0}\u{1}\u{3}\r\n", .refused(400)),
        HostileRequest("a TLS alert", "\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{28}\r\n", .refused(400)),
        HostileRequest(
            "the PROXY protocol", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n\(withTarget("/api/x"))", .refused(400)),
        HostileRequest(
            "the PROXY protocol 2", "\r\n\r\n\u{0}\r\nQUIT\n!\u{11}\u{0}\u{C}" + run("\u{7F}", 12), .refused(400)),
        HostileRequest("an answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .refused(400)),
        HostileRequest("FastCGI", "\u{1}\u{1}\u{0}\u{1}\u{0}\u{8}\u{0}\u{0}\u{0}\u{1}\u{0}\u{0}\r\n", .refused(400)),
        HostileRequest("SMTP", "EHLO gateway\r\nMAIL FROM:<a@b>\r\n", .refused(400)),
        HostileRequest("a line of zeros", run("\u{0}", 64), .refused(400)),
        HostileRequest("JSON alone", "{\"amount\":\"1.00\"}\r\n\r\n", .refused(400)),
    ]

    private static let badTargets = rows(
        .refused(400),
        [
            "/api/x#fragment", "/api/x#", "/api/x?a=1#b", "/api/<x>", "/api/\"x\"", "/api/x|y", "/api/x^y", "/api/`x`",
            "/api/{x}", "/api/[x]", "/api/x?[a]=1", "/api/x?a={b}", "/api/x?a=\"b\"", "/api/x?a=<b>", "/api/x?a|b",
            "/api/%", "/api/%4", "/api/%zz", "/api/%u0041", "/api/x%", "/api/x?%", "/api/x?a=%4", "/api/x?%g1",
            "/api/%-1", "/api/%+1", "/api/%%41", "/api/\u{0}x", "/api/\u{1}x", "/api/\u{7F}x", "/api/\u{80}x",
            "/api/\u{C3}\u{A9}", "/api/\u{FF}", "/api/x?\u{E4}", "/api/x?\u{0}", "/api/x\u{8}", "/api/x\u{1B}[0m",
            "/api\\x", "\\api\\x", "/api/x?a\\b", "/api/x?a^b", "/api/x?a`b`",
        ], withTarget)

    private static let forms = rows(
        .refused(400),
        [
            "*", "gateway:80", "gateway", "api/x", "?a=b", "#", "//", ".", "..", "./api/x", "../api/x", "http:/api/x",
            "http:///api/x", "http://", "http://gateway", "http://gateway?a=b", "https://gateway",
            "ftp://gateway/api/x",
            "file:///etc/passwd", "gopher://gateway/api/x", "javascript:x", "mailto:a@b", "ws://gateway/api/x",
            "//gateway/api/x", "http//gateway/api/x", "http:gateway/api/x", "http://user@gateway/api/x",
            "http://user:pass@gateway/api/x", "http://gateway:/api/x", "http://gateway:x/api/x",
            "http://gateway:65536/api/x", "http://gateway:00080/api/x", "http://gateway:-1/api/x", "http://[::1/api/x",
            "http://::1/api/x", "http://[gateway]/api/x", "http://[::1%25lo]/api/x", "http://gate%77ay/api/x",
            "http://gateway\\@evil/api/x", "http://evil/api/x", "http://gateway.evil/api/x", "http://gateway:81/api/x",
            "http://gateway,evil/api/x", "http://gateway;x/api/x", " http://gateway/api/x",
            "http://gateway#@evil/api/x",
            "https://gateway/../x", "http://gateway//api/x", "http://gateway/api/%2e%2e/x", "urn:uuid:1", "%2fapi/x",
        ], withTarget)

    private static let long = [
        HostileRequest("a line one byte too long", withTarget("/api/" + run("x", 1_025 - 19)), .refused(414)),
        HostileRequest("a line far too long", withTarget("/api/" + run("x", 3_000)), .refused(414)),
        HostileRequest("a query that is too long", withTarget("/api/x?" + run("q", 2_000)), .refused(414)),
        HostileRequest("a line without an end", "POST /api/" + run("y", 1_024), .refused(414)),
        HostileRequest("a method without an end", run("A", 1_100), .refused(414)),
        HostileRequest("a version without an end", "POST /api/x HTTP/" + run("1", 1_100), .refused(414)),
        HostileRequest("spaces without an end", "POST " + run(" ", 1_100), .refused(414)),
    ]

    /// Dot segments, empty segments, encoded separators: what an upstream could take out of the route's prefix.
    private static let paths = rows(
        .refused(400),
        [
            "/api/../x", "/api/..", "/api/.", "/api/./x", "/api/x/../../admin", "/api/x/..;/admin", "/api/..;/admin",
            "/api/.;/x", "/api/..;a=b/x", "/api/%2e%2e/x", "/api/%2E%2E/x", "/api/%2e./x", "/api/.%2e/x", "/api/%2e/x",
            "/api/%2e%2e", "/api/%2e%2e;/x", "/api/%2e%2e%2fx", "/api/..%2fx", "/api/%2fx", "/api/%2Fx",
            "/api/x%2f..%2fy",
            "/api/%5cx", "/api/%5Cx", "/api/..%5cx", "/api//x", "//api/x", "/api/x//", "///", "/api/%00",
            "/api/x%00.json",
            "/api/%0d%0aX:1", "/api/%0a", "/api/%0d", "/api/%09x", "/api/%1f", "/api/%7f", "/api/x?a/..#", "/../api/x",
            "/./api/x", "/%2e%2e/api/x", "/api/x/%2e%2e?q", "/api/..?q", "/api/x/.?q",
            "/api%2fx", "/%2fapi/x", "/.%2e/api/x",
        ], withTarget)
}

extension String {
    /// The lower byte of each scalar: what a careless reader makes of a wide character.
    fileprivate var latinCut: String { latin1(unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }) }
}
