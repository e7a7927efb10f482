// Hostile framing: lengths, transfer codings, both at once, chunks, trailers, and what follows the end.
// Relies on the frames of HostileRequest. The gateway under test takes bodies of 4 KiB and chunk lines of 256 bytes.

enum HostileRequestFraming {
    static let all = [
        HostileTable("Content-Length", lengths), HostileTable("Transfer-Encoding", codings),
        HostileTable("both framings", both), HostileTable("chunk sizes", sizes), HostileTable("chunk ends", ends),
        HostileTable("chunk extensions", extensions), HostileTable("trailers", trailers),
        HostileTable("halves", halves),
    ]

    private static let lengths =
        rows(
            .refused(400),
            [
                "+2", "-2", "-0", "+0", "02", "002", "00", "0000000000000002", "2,2", "2, 2", "2,3", "2,", ",2", "2 2",
                "2\t2",
                "0x2", "2.0", "2e0", "1e1", "2;", "2;q=1", "\"2\"", "'2'", "2h", "h2", "two", "", " ", "\t", "2_0",
                "1_000",
                "2\u{0}", "\u{0}2", "2\u{B}", "\u{B}2", "\u{B2}", "\u{A0}2", "2\u{A0}", "0b10", "0o2", "#2", "2#",
                "2/2",
                "NaN", "inf", "-9223372036854775808", "--2", "++2", "+-2", "2-", "2+", "(2)", "{2}", "2, 2, 2", "2 , 2",
                "2|2",
                "4294967298 ,2", "-4294967294", "%32", "\\2",
            ]
        ) { withLength("Content-Length: \($0)") }
        + rows(
            .refused(413),
            [
                "4097", "5000", "2147483647", "2147483648", "4294967295", "4294967296", "4294967298",
                "9223372036854775807",
                "9223372036854775808", "18446744073709551615", "18446744073709551616", "18446744073709551618",
                "100000000000000000000000000000000002", run("9", 400),
            ]
        ) { withLength("Content-Length: \($0)") }
        + rows(
            .refused(400),
            [
                "Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2\r\nContent-Length: 3",
                "Content-Length: 3\r\nContent-Length: 2", "Content-Length: 2\r\ncontent-length: 2",
                "Content-Length: 0\r\nContent-Length: 2", "Content-Length: 2\r\nX: y\r\nCONTENT-LENGTH: 40",
                "Content-Length: 2\r\nContent-Length:", "Content-Length:\r\nContent-Length: 2",
                "Content-Length: 2\r\nContent-Length: x", "Content-Length: 2\r\n Content-Length: 3",
                "Content-Length: 2\nContent-Length: 3", "Content-Length : 2", "Content-Length\u{0}: 2",
                "Content-Length: 2\r\nContent-Length: 2\r\nContent-Length: 2",
            ], withLength)

    private static let codings = rows(
        .refused(400),
        [
            "chunked, chunked", "chunked,chunked", "chunked, identity", "identity, chunked", "identity", "gzip",
            "gzip, chunked",
            "gzip,chunked", "chunked, gzip", "deflate, chunked", "compress, chunked", "br", "x-chunked", "chunkedx",
            "xchunked",
            "chunked;", "chunked;q=1", "chunked;foo=bar", "chunked ;x", "\"chunked\"", "'chunked'", "chunk", "chunked,",
            ",chunked",
            ", chunked", "chunked, ", ",", "", " ", "\t", "chunked chunked", "chunked\tx", "chu nked", "chunked\u{0}",
            "\u{0}chunked", "chunked\u{B}", "\u{B}chunked", "chunked\u{C}", "chunked\u{7F}", "chunked\u{A0}",
            "\u{A0}chunked",
            "chunked\u{FF}", "\u{212A}".lower + "chunked", "chun\u{6B}\u{8}ed", "cow", "cow, chunked", "trailers", "0",
            "1", "2",
            "chunked, cow", "(chunked)", "chunked()", "chunked=", "chunked/1", "chunked:chunked",
            "Transfer-Encoding: chunked",
            "chunked\\", "[chunked]", "{chunked}", "chunked.", "c\u{0}hunked", "chunKed, Identity",
            "identity;q=1, chunked",
            "gzip;q=0, chunked", "%63hunked", "chunked#", "chunked|", "null", "none",
        ]
    ) { withCoding("Transfer-Encoding: \($0)") }

    private static let both =
        rows(
            .refused(400),
            [
                "Content-Length: 2\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 2",
                "Content-Length: 0\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 0",
                "Content-Length: 12\r\nTransfer-Encoding: chunked",
                "content-length: 2\r\nX: y\r\ntransfer-encoding: chunked",
                "TRANSFER-ENCODING: CHUNKED\r\nX: y\r\nCONTENT-LENGTH: 2",
                "Content-Length: 2\r\nTransfer-Encoding: identity",
                "Transfer-Encoding: identity\r\nContent-Length: 2", "Content-Length: 2\r\nTransfer-Encoding:",
                "Transfer-Encoding:\r\nContent-Length: 2", "Content-Length: x\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nContent-Length: x", "Transfer-Encoding: xchunked\r\nContent-Length: 2",
                "Content-Length: 2\r\nTransfer-Encoding: gzip", "Content-Length: 2\r\nTransfer-Encoding : chunked",
                "Content-Length: 2\r\n Transfer-Encoding: chunked", "Content-Length: 2\r\nTransfer-Encoding\t: chunked",
                "Content-Length: 2\nTransfer-Encoding: chunked",
                "Content-Length: 2\r\nX: y\nTransfer-Encoding: chunked",
                "Content-Length: 2\r\nX: y\rTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nContent-Length : 2",
                "Content-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: Content-Length",
                "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\ntransfer-encoding: cow",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
                "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\n\tx", "Transfer-Encoding:\u{0}chunked",
                "Transfer-Encoding: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
            ], withCoding)
        + [
            HostileRequest(
                "coding in HTTP/1.0",
                "POST /api/x HTTP/1.0\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                .refused(505)),
            HostileRequest("no framing for a POST", "POST /api/x HTTP/1.1\r\nHost: gateway\r\n\r\n", .refused(411)),
            HostileRequest("no framing and a body", "POST /api/x HTTP/1.1\r\nHost: gateway\r\n\r\n{}", .refused(411)),
            HostileRequest(
                "length in another field", "PUT /api/x HTTP/1.1\r\nHost: gateway\r\nContent_Length: 2\r\n\r\n{}",
                .refused(411)),
            HostileRequest(
                "coding in another field",
                "PATCH /api/x HTTP/1.1\r\nHost: gateway\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n", .refused(411)),
        ]

    private static let sizes =
        rows(
            .refused(400),
            [
                "", " 2", "2 ", "\t2", "2\t", "+2", "-2", "-0", "0x2", "0X2", "02", "00", "002", "00000000000000000002",
                "2h", "h",
                "g", "2.0", "2,", "2 2", "\"2\"", "#2", "2\u{0}", "\u{0}2", "\u{B}2", "2\u{B}", "2\u{A0}", "\u{B2}",
                "2 ;a=b",
                "_2", "2_", "{}", "ffffffffffffffff", "10000000000000002", "FFFFFFFFFFFFFFFE", "8000000000000000",
                "7fffffffffffffff", "100000000000000000000000000000002", "-ffffffffffffffff", "two", "\\2",
                "'2'",
                "1000000000000002", run("0", 300), run("f", 300), "%32", "2L", "2u",
            ]
        ) { withChunks("\($0)\r\n{}\r\n0\r\n\r\n") }
        + rows(
            .refused(413),
            [
                "1001", "ffff", "7fffffff", "80000000", "ffffffff", "100000000", "100000002", "fffffffffffffff",
                "7FFFFFFFFFFFFFF",
            ]
        ) { withChunks("\($0)\r\n{}\r\n0\r\n\r\n") }
        + [
            HostileRequest(
                "many chunks over the limit", withChunks(run("100\r\n\(run("x", 256))\r\n", 17) + "0\r\n\r\n"),
                .refused(413)),
            HostileRequest(
                "the last chunk over the limit", withChunks("1000\r\n\(run("x", 4_096))\r\n1\r\nx\r\n0\r\n\r\n"),
                .refused(413)),
        ]

    private static let ends =
        rows(
            .refused(400),
            [
                "2\n{}\n0\n\n", "2\n{}\r\n0\r\n\r\n", "2\r\n{}\n0\r\n\r\n", "2\r\n{}\r\n0\n\r\n", "2\r\n{}\r\n0\r\n\n",
                "2\r{}\r\n0\r\n\r\n", "2\r\n{}\r0\r\n\r\n", "2\r\n{}0\r\n\r\n", "2\r\n{}\r\n\r\n0\r\n\r\n",
                "2\r\n{} \r\n0\r\n\r\n",
                "2\r\n{\r\n0\r\n\r\n", "2\r\n{}x\r\n0\r\n\r\n", "1\r\n{}\r\n0\r\n\r\n", "3\r\n{}\r\n0\r\n\r\n",
                "2\r\r\n{}\r\n0\r\n\r\n",
                "2\n\r{}\r\n0\r\n\r\n", "2\r\n{}\n\r0\r\n\r\n", "2\r\n{}\r\r\n0\r\n\r\n", "\r\n2\r\n{}\r\n0\r\n\r\n",
                "\n2\r\n{}\r\n0\r\n\r\n", "2\r\n{}\r\n0\r\r\n", "2\r\n{}\r\n 0\r\n\r\n", "2\r\n{}\r\n0 \r\n\r\n",
                "2\r\n{}\r\n00\r\n\r\n", "2\r\n{}\r\n0\r\n\r{", "2\r\n{}\r\n-0\r\n\r\n", "2\r\n{}\r\n0x0\r\n\r\n",
                "2\r\n{}\r\nx\r\n\r\n", "2\r\n{}\r\n\u{0}\r\n\r\n", "2;a\n{}\r\n0\r\n\r\n", "2;a\rx\r\n{}\r\n0\r\n\r\n",
                "2;\n{}\r\n0\r\n\r\n", "2;a=b\n2e\r\n{}\r\n0\r\n\r\n", "2\r\n{}XX0\r\n\r\n", "2\r\n{}\r\n0;\n\r\n",
                "2\r\n{}\r\n0\rX: y\r\n\r\n", "2\r\n{}\r\n0\nX: y\r\n\r\n", "{}", "{\"a\":1}\r\n", "\r\n", "\n",
                "\u{0}",
            ], withChunks)

    private static let extensions = rows(
        .refused(400),
        [
            ";", "; ", ";;", ";a;", ";a=", ";=b", ";a==b", ";a=b;", ";a =b", ";a= b", "; a=b", ";a=b ", ";a b",
            ";a=b c",
            ";a=\"b", ";a=\"b\"c", ";a=\"b\\", ";a=\"\u{0}\"", ";a=\u{0}", ";\u{0}", ";a\u{0}", ";a\u{7F}", ";a=\u{80}",
            ";a=\"\u{80}\"", ";a=\"\r\"", ";a=\"\n\"", ";a=\"\r\n\"", ";(a)", ";a=(b)", ";a,b", ";a=b,c", ";a/b", ",a",
            "=a",
            ";a=\t", ";\ta", ";a=b\u{B}", ";a='b c'", ";{}", ";a=[b]", ";" + run("a", 256), ";a=" + run("b", 4_000),
            ";a=\"" + run("b", 300) + "\"",
        ]
    ) { withChunks("2\($0)\r\n{}\r\n0\r\n\r\n") }

    private static let trailers =
        rows(
            .refused(400),
            [
                "Content-Length: 2", "content-length: 0", "Transfer-Encoding: chunked", "Host: evil",
                "Authorization: Basic eDp5",
                "Content-Type: application/json", "Content-Encoding: gzip", "Connection: close", "Trailer: X",
                "TE: trailers",
                "Upgrade: h2c", "Expect: 100-continue", "Proxy-Authorization: x", "api_key: x", "api-key: x",
                "X-Date: x",
                "Date: x", "content-sha512: x", "request-line: x", "Idempotency-Key: x", "Keep-Alive: timeout=5",
                "Proxy-Connection: close", "Content_Length: 2", "transfer_encoding: chunked", "X_Date: x",
                "Retry-After: 1",
                "WWW-Authenticate: x", "X : y", "X\t: y", ": y", " X: y", "\tX: y", "X", "X y", "X: a\r\n b",
                "X: a\u{0}", "X\u{0}: a",
                "X: a\u{1}", "X: a\nY: b", "X: a\rY: b", "X: \u{80}", "X\u{80}: a", "X: a\n", "X(: a",
                "X: " + run("y", 300),
                "X: a\r\nContent-Length: 2", "\u{0}", "X: a\r\n\n", "0\r\n", "{}", "X: a\r\nHost: gateway",
            ]
        ) { withChunks("2\r\n{}\r\n0\r\n\($0)\r\n\r\n") }
        + [
            HostileRequest("33 trailer fields", withChunks("0\r\n" + run("X: y\r\n", 33) + "\r\n"), .refused(431))
        ]

    private static let halves = rows(
        .dropped,
        [
            "P", "POST", "POST ", "POST /api/x", "POST /api/x HTTP/1.1", "POST /api/x HTTP/1.1\r",
            "POST /api/x HTTP/1.1\r\n",
            "POST /api/x HTTP/1.1\r\nHost: gateway", "POST /api/x HTTP/1.1\r\nHost: gateway\r\n",
            "POST /api/x HTTP/1.1\r\nHost: gateway\r\n\r", "GET /api/x HTTP/1.1\r\nHost: gateway\r\n\r",
            "POST /api/x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n",
            "POST /api/x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{",
            "POST /api/x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 4096\r\n\r\n{}",
            withChunks(""), withChunks("2"), withChunks("2\r"), withChunks("2\r\n"), withChunks("2\r\n{"),
            withChunks("2\r\n{}"),
            withChunks("2\r\n{}\r"), withChunks("2\r\n{}\r\n"), withChunks("2\r\n{}\r\n0"),
            withChunks("2\r\n{}\r\n0\r\n"),
            withChunks("2\r\n{}\r\n0\r\n\r"), withChunks("2\r\n{}\r\n0\r\nX: y\r\n"), withChunks("2;a=\"b"),
            withChunks("100\r\n{}"),
        ]
    ) { $0 }
}

extension String {
    /// A wide character cut to its lower byte.
    fileprivate var lower: String { latin1(unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }) }
}
