// The hostile and odd answers: status lines, fields, lengths, codings, chunks, ends, interim answers, bodies where none
// may be. Relies on HostileAnswer. The gateway under test takes heads of 4 KiB and 32 fields.

enum HostileAnswers {
    /// Answers whose head cannot be read in one way.
    static let heads: [HostileAnswer] = statusLines + foreign + fields + lengths + codings + sizes + interims
    /// Answers that break behind their head, or end too early.
    static let bodies: [HostileAnswer] = chunks + cut
    /// Answers that are whole, with more or less behind them.
    static let wholes: [HostileAnswer] = extra + bodiless + plain

    private static let statusLines: [HostileAnswer] = answers(
        .unusable,
        [
            "HTTP/1.1 20 OK", "HTTP/1.1 2 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 0200 OK", "HTTP/1.1 099 OK",
            "HTTP/1.1 000 OK",
            "HTTP/1.1 600 OK", "HTTP/1.1 999 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 2x0 OK",
            "HTTP/1.1 0x2 OK",
            "HTTP/1.1 200.0 OK", "HTTP/1.1 20 0 OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK",
            "HTTP/1.1 200",
            "HTTP/1.1 ", "HTTP/1.1", "HTTP/1.1 OK", "HTTP/1.1 OK 200", "HTTP/1.1200 OK", "HTTP/1.1 200OK",
            "HTTP/1.1 \u{B2}00 OK",
            "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 200 O\u{0}K", "HTTP/1.1 200 O\u{1}K", "HTTP/1.1 200 O\u{7F}K",
            "HTTP/1.1 200 O\rK", "HTTP/1.1 200 O\nK", "HTTP/1.1 200 OK\r", "HTTP/1.1 200 OK\n",
            "HTTP/1.1 200 \u{1B}[2J",
            "HTTP/1.2 200 OK", "HTTP/1.9 200 OK", "HTTP/2 200 OK", "HTTP/2.0 200 OK", "HTTP/3 200 OK",
            "HTTP/0.9 200 OK",
            "HTTP/11 200 OK", "HTTP/1 200 OK", "HTTP/1. 200 OK", "HTTP/1.10 200 OK", "HTTP/01.1 200 OK",
            "http/1.1 200 OK",
            "Http/1.1 200 OK", "HTTPS/1.1 200 OK", "HTP/1.1 200 OK", "ICY 200 OK", "RTSP/1.0 200 OK", "SIP/2.0 200 OK",
            " HTTP/1.1 200 OK", "\tHTTP/1.1 200 OK", "200 OK", "\u{0}HTTP/1.1 200 OK",
            "\u{EF}\u{BB}\u{BF}HTTP/1.1 200 OK",
            "HTTP/1.1 200 " + run("x", 5_000), "H", "HTTP", "XHTTP/1.1 200 OK",
        ].filter { !"HTTP/1.1 200 OK".hasPrefix($0) || $0.count > 7 }
    ) { $0 + "\r\nContent-Length: 2\r\n\r\n{}" }

    /// What is no head at all.
    private static let foreign: [HostileAnswer] = answers(
        .unusable,
        [
            "{\"status\":\"ok\"}", "<html>ok</html>", "garbage\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "\r\n\r\n", "\u{0}\u{0}\u{0}\u{0}",
            "\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{28}", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{1}\u{0}",
            "\u{16}\u{3}\u{3}\u{0}\u{4}\u{E}\u{0}\u{0}\u{0}",
            "\u{0}\u{0}\u{12}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}", "POST /callback HTTP/1.1\r\nHost: gateway\r\n\r\n",
            "220 smtp ready\r\n",
            "SSH-2.0-OpenSSH_9.2\r\n", "\u{1F}\u{8B}\u{8}\u{0}", "0\r\n\r\n", "{}", "OK\n",
            "HTTPHTTP/1.1 200 OK\r\n\r\n",
            "Content-Length: 2\r\n\r\n{}",
        ]
    ) { $0 }

    private static let fields: [HostileAnswer] = answers(
        .unusable,
        [
            " X: y", "\tX: y", "X: y\r\n z", "X: y\r\n\tz", "X : y", "X\t: y", ": y", "X", "X y", "X\u{0}: y",
            "X: \u{0}", "X: a\u{0}b",
            "X: a\u{1}b", "X: a\u{7F}", "X: a\rb", "X: a\nb", "X: a\r\rb", "X: a\nSet-Cookie: b", "X: a\rSet-Cookie: b",
            "X: a\n",
            "X: a\r", "X(: y", "X\u{80}: y", "X Y: z", "\u{0}: y", "X: a\u{B}b", "X: a\u{1B}[2J", "[X]: y",
            "X: a\r\n\u{0}",
            "Connection: close,,x", "Connection: a b", "Connection: Content-Length", "Connection:", "\nX: y",
            "X: y\n\r", "=: y\"",
        ]
    ) { "HTTP/1.1 200 OK\r\n\($0)\r\nContent-Length: 2\r\n\r\n{}" }

    private static let lengths: [HostileAnswer] = answers(
        .unusable,
        [
            "Content-Length: +2", "Content-Length: -2", "Content-Length: -0", "Content-Length: 02",
            "Content-Length: 2,2",
            "Content-Length: 2, 2", "Content-Length: 2, 3", "Content-Length: 0x2", "Content-Length: 2.0",
            "Content-Length: 2 2",
            "Content-Length: two", "Content-Length:", "Content-Length: 2;", "Content-Length: \"2\"",
            "Content-Length: 2\u{A0}",
            "Content-Length: 18446744073709551618", "Content-Length: 9223372036854775808",
            "Content-Length: 4294967298x",
            "Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2\r\nContent-Length: 3",
            "Content-Length: 3\r\ncontent-length: 2",
            "Content-Length : 2", "Content-Length\t: 2", "Content-Length: 2\r\n 2", "Content-Length: 2\n",
            "Content-Length: 2\r",
            "Content-Length: 2\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 2",
            "Content-Length: 0\r\nTransfer-Encoding: chunked", "Content-Length: 2\r\nTransfer-Encoding: identity",
            "Content-Length: 2\r\nTransfer-Encoding : chunked", "Content-Length: 2\r\nTransfer-Encoding:",
        ]
    ) { "HTTP/1.1 200 OK\r\n\($0)\r\n\r\n{}" }

    private static let codings: [HostileAnswer] =
        answers(
            .unusable,
            [
                "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "xchunked", "chunkedx",
                "chunked;q=1",
                "\"chunked\"", "chunked,", ",chunked", "", "chunked\u{B}", "\u{B}chunked", "chunked\u{0}", "chunk",
                "br", "cow",
                "chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity",
                "gzip\r\nTransfer-Encoding: chunked",
                "chunked\r\n ,x", "chunked\u{A0}",
            ]
        ) { "HTTP/1.1 200 OK\r\nTransfer-Encoding: \($0)\r\n\r\n2\r\n{}\r\n0\r\n\r\n" }
        + [
            HostileAnswer(
                "chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                .open, .unusable),
            HostileAnswer(
                "204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}", .open, .unusable),
            HostileAnswer(
                "204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                .open, .unusable),
            HostileAnswer(
                "101 after Upgrade", "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n\u{0}\u{0}",
                .open, .unusable),
        ]

    private static let sizes: [HostileAnswer] = [
        HostileAnswer("33 fields", "HTTP/1.1 200 OK\r\n" + run("X: y\r\n", 33) + "\r\n", .open, .unusable),
        HostileAnswer("a long value", "HTTP/1.1 200 OK\r\nX: " + run("y", 5_000) + "\r\n\r\n", .open, .unusable),
        HostileAnswer("a long name", "HTTP/1.1 200 OK\r\n" + run("X", 5_000) + ": y\r\n\r\n", .open, .unusable),
        HostileAnswer("a head without an end", "HTTP/1.1 200 OK\r\n" + run("X: yyyyyyyy\r\n", 400), .open, .unusable),
        HostileAnswer("fields without an end", "HTTP/1.1 200 OK\r\n" + run("X: y\r\n", 4_000), .open, .unusable),
    ]

    private static let interims: [HostileAnswer] =
        [
            HostileAnswer(
                "nine interim answers",
                run("HTTP/1.1 100 Continue\r\n\r\n", 9) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", .open,
                .unusable),
            HostileAnswer(
                "a flood of them", run("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 2_000), .open, .unusable),
            HostileAnswer(
                "a large one", "HTTP/1.1 103 Early Hints\r\nLink: " + run("y", 5_000) + "\r\n\r\n", .open, .unusable),
            HostileAnswer("garbage behind one", "HTTP/1.1 100 Continue\r\n\r\ngarbage", .open, .unusable),
            HostileAnswer(
                "a body behind one", "HTTP/1.1 100 Continue\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n", .open, .unusable),
            HostileAnswer(
                "101 behind one", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching\r\n\r\n", .open, .unusable),
            HostileAnswer("one and the end", "HTTP/1.1 100 Continue\r\n\r\n", .close, .lost),
            HostileAnswer("one and a reset", "HTTP/1.1 103 Early Hints\r\n\r\n", .reset, .lost),
        ]
        + answers(.unusable, ["Content-Length: 2", "Transfer-Encoding: chunked", "X : y", "X: \u{0}", " X: y"]) {
            "HTTP/1.1 103 Early Hints\r\n\($0)\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        }

    /// Chunks that break: the head may be with the caller already, the end must be visibly wrong.
    private static let chunks: [HostileAnswer] = answers(
        .broken,
        [
            "x\r\n{}\r\n0\r\n\r\n", "\r\n{}\r\n0\r\n\r\n", "2\n{}\n0\n\n", "2\r\n{}x\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n",
            "3\r\n{}\r\n0\r\n\r\n",
            "+2\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "0x2\r\n{}\r\n0\r\n\r\n", "02\r\n{}\r\n0\r\n\r\n",
            " 2\r\n{}\r\n0\r\n\r\n",
            "2 \r\n{}\r\n0\r\n\r\n", "2\t\r\n{}\r\n0\r\n\r\n", "ffffffffffffffff2\r\n{}\r\n0\r\n\r\n",
            "10000000000000002\r\n{}\r\n0\r\n\r\n",
            "2;\u{0}\r\n{}\r\n0\r\n\r\n", "2;" + run("a", 300) + "\r\n{}\r\n0\r\n\r\n", "2;a=\"b\r\n{}\r\n0\r\n\r\n",
            "2;a\n{}\r\n0\r\n\r\n",
            "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n", "2\r\n{}\r\n0\r\nTransfer-Encoding: x\r\n\r\n",
            "2\r\n{}\r\n0\r\nHost: x\r\n\r\n",
            "2\r\n{}\r\n0\r\nX : y\r\n\r\n", "2\r\n{}\r\n0\r\nX: \u{0}\r\n\r\n", "2\r\n{}\r\n0\r\n X: y\r\n\r\n",
            "2\r\n{}\r\n0\r\nX\r\n\r\n",
            "2\r\n{}\r\n0\r\nX: " + run("y", 400) + "\r\n\r\n", "2\r\n{}\r\n00\r\n\r\n", "2\r\n{}\r\n-0\r\n\r\n",
            "2\r\n{}\r\nzz\r\n",
            "2\r\n{}\r\n0\r\n\rx", "2\r\n{}\r\n0\r\n\n", "2\r\n{}\r0\r\n\r\n", "2\r\n{}\r\n\r\n0\r\n\r\n", "garbage",
            "{\"ok\":true}",
        ]
    ) { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\($0)" }

    /// Answers that end before they are whole.
    private static let cut: [HostileAnswer] =
        [Ending.close, .reset].flatMap { ending in
            answers(
                .lost, then: ending,
                [
                    "", "H", "HTTP/1.1", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r", "HTTP/1.1 200 OK\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Len",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r",
                ]
            ) { $0 }
                + answers(
                    .broken, then: ending,
                    [
                        "Content-Length: 2\r\n\r\n", "Content-Length: 2\r\n\r\n{",
                        "Content-Length: 100000\r\n\r\n{\"half\":1}",
                        "Transfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2",
                        "Transfer-Encoding: chunked\r\n\r\n2\r\n", "Transfer-Encoding: chunked\r\n\r\n2\r\n{",
                        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
                        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0",
                        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
                        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r",
                        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n",
                    ]
                ) { "HTTP/1.1 200 OK\r\n\($0)" }
        }
        // Until the connection's end, which was none.
        + answers(.broken, then: .reset, ["{\"half\":", "{\"whole\":1}"]) { "HTTP/1.1 200 OK\r\n\r\n\($0)" }
        + answers(.broken, then: .reset, ["{\"half\":"]) { "HTTP/1.0 200 OK\r\n\r\n\($0)" }

    /// Whole answers with bytes behind them: never given to the next request.
    private static let extra: [HostileAnswer] =
        answers(
            .last(200, "{}"),
            [
                "{}", "\r\n", "\n", "\u{0}", "x", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
                "HTTP/1.1 100 Continue\r\n\r\n",
                "0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
            ]
        ) { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}\($0)" }
        + answers(.last(200, "{}"), ["x", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "0\r\n\r\n"]) {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n\($0)"
        }
        + answers(.last(200, "{}"), then: .close, ["", "Connection: close\r\n", "Connection: keep-alive\r\n"]) {
            "HTTP/1.1 200 OK\r\n\($0)Content-Length: 2\r\n\r\n{}"
        }
        + answers(
            .last(200, "{}"), ["Connection: close\r\n", "Connection: CLOSE\r\n", "Connection: keep-alive, close\r\n"]
        ) {
            "HTTP/1.1 200 OK\r\n\($0)Content-Length: 2\r\n\r\n{}"
        }

    /// Answers that have no body whatever they say.
    private static let bodiless: [HostileAnswer] = [
        HostileAnswer(
            "304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", .open, .good(304, "")),
        HostileAnswer(
            "304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n{}", .open, .last(304, "")),
        HostileAnswer("204 with a body", "HTTP/1.1 204 No Content\r\n\r\n{}", .open, .last(204, "")),
        HostileAnswer("204 with no length", "HTTP/1.1 204 No Content\r\n\r\n", .open, .good(204, "")),
        HostileAnswer("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", .open, .good(200, ""), method: "HEAD"),
        HostileAnswer(
            "HEAD with a body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", .open, .last(200, ""),
            method: "HEAD"),
        HostileAnswer(
            "HEAD with chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", .open,
            .last(200, ""),
            method: "HEAD"),
        HostileAnswer("HEAD and 502's garbage", "HTTP/1.1 200\r\n\r\n", .open, .unusable, method: "HEAD"),
    ]

    /// Odd and legal.
    private static let plain: [HostileAnswer] = [
        HostileAnswer("no reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", .open, .good(200, "{}")),
        HostileAnswer(
            "a reason of bytes", "HTTP/1.1 200 \u{E4}\t!\r\nContent-Length: 2\r\n\r\n{}", .open, .good(200, "{}")),
        HostileAnswer("an unknown status", "HTTP/1.1 299 X\r\nContent-Length: 2\r\n\r\n{}", .open, .good(299, "{}")),
        HostileAnswer("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", .open, .last(200, "{}")),
        HostileAnswer(
            "HTTP/1.0, kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", .open,
            .good(200, "{}")),
        HostileAnswer("until the end", "HTTP/1.1 200 OK\r\n\r\n{\"a\":1}", .close, .last(200, "{\"a\":1}")),
        HostileAnswer("until the end, 1.0", "HTTP/1.0 200 OK\r\n\r\n{\"a\":1}", .close, .last(200, "{\"a\":1}")),
        HostileAnswer("nothing until the end", "HTTP/1.1 200 OK\r\n\r\n", .close, .last(200, "")),
        HostileAnswer(
            "eight interim answers",
            run("HTTP/1.1 102 X\r\n\r\n", 8) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", .open,
            .good(200, "{}")),
        HostileAnswer(
            "chunks with all",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: cHUNKed\r\n\r\n1;a=\"b\"\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n", .open,
            .good(200, "{}")),
        HostileAnswer(
            "a coding that passes",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\u{1F}\u{B}\u{8}\u{1}", .open,
            .good(200, "\u{1F}\u{B}\u{8}\u{1}")),
        HostileAnswer(
            "an offer of HTTP/2",
            "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\n{}", .open,
            .good(200, "{}")),
        HostileAnswer("an error", "HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}", .open, .good(500, "{}")),
        HostileAnswer(
            "429", "HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}", .open, .good(429, "{}")),
        HostileAnswer(
            "a redirect", "HTTP/1.1 307 X\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n", .open, .good(307, "")
        ),
        HostileAnswer(
            "32 fields", "HTTP/1.1 200 OK\r\n" + run("X: y\r\n", 31) + "Content-Length: 2\r\n\r\n{}", .open,
            .good(200, "{}")),
        HostileAnswer(
            "bytes in a value", "HTTP/1.1 200 OK\r\nX: \u{E4}\r\nContent-Length: 2\r\n\r\n{}", .open, .good(200, "{}")),
    ]
}
