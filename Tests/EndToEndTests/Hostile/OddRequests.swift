// Requests that are odd and legal: they must pass, and the upstream must get exactly what is written here.
// Relies on nothing of the gateway's. What the gateway adds to each (the seal) is checked by the test.

/// One odd request and what of it the upstream gets.
struct OddRequest: Sendable, CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    /// Request line without its CR LF.
    let line: String
    /// Header lines of the caller that pass, in order, each with its CR LF.
    let fields: String
    let body: String

    init(
        _ name: String, _ text: String, line: String = "POST /base/api/x HTTP/1.1", fields: String = "",
        body: String = "{}"
    ) {
        description = name
        bytes = latin1(text)
        self.line = line
        self.fields = fields
        self.body = body
    }
}

enum OddRequests {
    static let all = targets + fields + dropped + framings + bodies + replaced + edges

    private static let targets =
        [
            "/api/x?", "/api/x?a=1&b=2", "/api/x?a=/../b", "/api/x?a=//b", "/api/x?%2e%2e%2f", "/api/x??",
            "/api/x?a?b=c:@/",
            "/api/x/", "/api/", "/api", "/api?x", "/api/...", "/api/.x", "/api/..x", "/api/x..", "/api/x.",
            "/api/x/.../y",
            "/api/x;a=b", "/api/x;", "/api/;x", "/api/%41", "/api/%7e", "/api/%C3%A4", "/api/%20", "/api/a%3Fb",
            "/api/a%23b",
            "/api/a%25b", "/api/a%252fb", "/api/a:b@c", "/api/a,b+c=d&e", "/api/!$&'()*", "/api/~-_", "/api/%3b",
            "/api/x?a=%00", "/api/x?a=b%23", "/api/1e400", "/api/%E2%80%AE",
        ].map { OddRequest("target \($0)", withTarget($0), line: "POST /base\($0) HTTP/1.1") }
        + [
            OddRequest("absolute form", withTarget("http://gateway/api/x?a=b"), line: "POST /base/api/x?a=b HTTP/1.1"),
            OddRequest("absolute form, upper case", withTarget("HTTP://GATEWAY/api/x")),
            OddRequest("absolute form, https", withTarget("https://gateway/api/x")),
        ]

    private static let fields = [
        "X: ", "X: y", "X: a  b", "X: a\tb", "X: a:b", "X: :", "X: \"a, b\"", "X: (a)", "X: ,", "X: a,,b", "x: y",
        "X-UPPER: y", "!#$%&'*+-.^_`|~09: y", "X: a\\b", "X: \r\nY: z", "X: y\r\nX: y",
        "X: 1\r\nx: 2\r\nX: 3", "Cookie: a=b; c=d", "User-Agent: a/1 (b; c)", "Accept: */*",
        "Accept-Encoding: gzip, br",
        "Range: bytes=0-", "If-None-Match: *", "Forwarded: for=1", "X-Forwarded-For: 1, 2", "Via: 1.0 a, 1.1 b",
        "Content-Language: de", "Idempotency-Key: a", "X-Request-Id: b", "X: {\"a\":1}",
        "X: GET /api/smuggled HTTP/1.1", "X: " + run("y", 2_000), "Content-Lengt: 5", "Content-Lengthx: 5",
        "Hosts: evil",
        "Date-X: a", "X-Host: evil",
    ].map { OddRequest("field \(visible($0))", withFields($0), fields: $0 + "\r\n") }

    /// Fields that end at this hop, that the gateway writes itself, or that only blanks make odd.
    private static let dropped =
        [
            "Connection: keep-alive", "Connection: keep-alive, X-Gone\r\nX-Gone: y", "Connection: x-gone\r\nX-GONE: y",
            "traceparent: 00-x", "tracestate: a=1", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive",
            "TE: trailers", "TE: gzip;q=1, trailers",
            "Trailer: X-T",
            "Authorization: Basic eDp5", "Authorization: hmac username=\"evil\"", "Proxy-Authorization: Basic eDp5",
            "api_key: evil", "API_KEY: evil", "api-key: evil", "X-Date: Thu, 01 Jan 1970 00:00:00 GMT", "x_date: evil",
            "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Content-sha512: evil", "content_sha512: evil", "request-line: evil",
            "request_line: evil", "Content-Type: application/json; charset=utf-8", "Content-Type: APPLICATION/JSON",
            "content-type:application/json", "Transfer_Encoding: chunked", "Content_Length: 5",
        ].map { OddRequest("dropped \(visible($0))", withFields($0)) }
        + [
            OddRequest("no blank behind the colon", withFields("X:y"), fields: "X: y\r\n"),
            OddRequest("many blanks around", withFields("X: \t  y z \t "), fields: "X: y z\r\n"),
            OddRequest("tab behind the colon", withFields("X:\ty"), fields: "X: y\r\n"),
            OddRequest("an empty value", withFields("X:"), fields: "X: \r\n"),
            OddRequest("Host with a port", withHost("Host: gateway:8080")),
            OddRequest("Host in capitals, last", withHost("X: y\r\nHOST:GATEWAY"), fields: "X: y\r\n"),
            OddRequest("Host is an address", withHost("Host: [2001:db8::1]:443")),
        ]

    private static let framings = [
        OddRequest("length in small letters", withLength("content-length:2")),
        OddRequest("length with blanks around", withLength("Content-Length: \t 2 \t")),
        OddRequest("coding in capitals", withCoding("TRANSFER-ENCODING: CHUNKED")),
        OddRequest("coding in mixed letters, blanks", withCoding("Transfer-Encoding:  \tcHuNkEd\t ")),
        OddRequest("chunks of a byte", withChunks("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")),
        OddRequest(
            "size in letters", withChunks("A\r\n{\"a\": \"bc\"\r\n1\r\n}\r\n0\r\n\r\n"), body: "{\"a\": \"bc\"}"),
        OddRequest(
            "size in small letters", withChunks("b\r\n{\"a\": \"bcd\"\r\n1\r\n}\r\n0\r\n\r\n"), body: "{\"a\": \"bcd\"}"
        ),
        OddRequest("extensions", withChunks("2;a;b=c;d=\"e \\\" ; f\"\r\n{}\r\n0;last\r\n\r\n")),
        OddRequest("an extension at the limit", withChunks("2;" + run("a", 254) + "\r\n{}\r\n0\r\n\r\n")),
        OddRequest("trailer fields", withChunks("2\r\n{}\r\n0\r\nX-T: y\r\nETag: \"1\"\r\n\r\n")),
        OddRequest("an empty trailer value", withChunks("2\r\n{}\r\n0\r\nX-T:\r\n\r\n")),
        OddRequest(
            "a chunk that looks like an end", withChunks("d\r\n{\"a\":\"\\r\\n0\"}\r\n0\r\n\r\n"),
            body: "{\"a\":\"\\r\\n0\"}"),
        OddRequest(
            "GET without a body", "GET /api/x HTTP/1.1\r\nHost: gateway\r\n\r\n", line: "GET /base/api/x HTTP/1.1",
            body: ""),
        OddRequest(
            "DELETE with an empty body", "DELETE /api/x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n",
            line: "DELETE /base/api/x HTTP/1.1", body: ""),
        OddRequest(
            "GET with a body", withLine("GET /api/x HTTP/1.1"), line: "GET /base/api/x HTTP/1.1"),
        OddRequest(
            "OPTIONS", "OPTIONS /api/x HTTP/1.1\r\nHost: gateway\r\n\r\n", line: "OPTIONS /base/api/x HTTP/1.1",
            body: ""),
        OddRequest(
            "GET with empty chunks",
            "GET /api/x HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            line: "GET /base/api/x HTTP/1.1", body: ""),
    ]

    private static let bodies = [
        " {} ", "\r\n{}\r\n", "{\"a\":\"\\u0000\"}", "{\"\":\"\"}", "{\"a\":1e400}", "{\"a\":-0.0}",
        "{\"a\":123456789012345678901234567890}", "{\"a\":\"\u{C3}\u{A4}\u{F0}\u{9F}\u{98}\u{80}\"}",
        "{\"a\":\"\\uD83D\\uDE00\"}",
        "{\"a\":\"\u{7F}\"}", "{\"a\":\"0\\r\\n\\r\\nGET /api/smuggled HTTP/1.1\\r\\n\\r\\n\"}",
        "\t{\r\n\"a\" : [ 1 , 2 ]\n}\t",
        run("{\"a\":", 16) + "1" + run("}", 16),
    ].map { body in
        OddRequest(
            "body \(visible(body))", withLength("Content-Length: \(body.unicodeScalars.count)").dropLast(2) + body,
            body: body)
    }

    /// The program's own key takes the place of a caller's.
    private static let replaced = [
        OddRequest(
            "a key in the body", withFields("X: y").replacing("2\r\n\r\n{}", with: "19\r\n\r\n{\"api_key\":\"other\"}"),
            fields: "X: y\r\n", body: "{\"api_key\":\"demo-api-key\"}")
    ]

    /// Sizes at the limits.
    private static let edges = [
        OddRequest(
            "a head of the limit", HostileRequestFields.exactHead(4_096), fields: "X: " + run("y", 4_033) + "\r\n"),
        OddRequest(
            "a line of the limit", withTarget("/api/" + run("x", 1_005)),
            line: "POST /base/api/" + run("x", 1_005) + " HTTP/1.1"),
        OddRequest("32 fields", withFields(run("X: y\r\n", 29) + "X: y"), fields: run("X: y\r\n", 30)),
        OddRequest(
            "a body of the limit", withChunks("1000\r\n" + object(of: 4_096) + "\r\n0\r\n\r\n"), body: object(of: 4_096)
        ),
        OddRequest("a trailer of 32 fields", withChunks("2\r\n{}\r\n0\r\n" + run("X:y\r\n", 32) + "\r\n")),
    ]
}
