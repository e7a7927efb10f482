// Compressed request bodies: those that pass as the JSON that they hold, and those that are denied with nothing sent.
// Relies on Deflated. The gateway under test takes bodies of 4 KiB, compressed and inflated.

enum CompressedRequests {
    private static let plain = Array("{\"amount\": \"100.00\"}".utf8)
    private static let text = "{\"amount\": \"100.00\"}"

    /// What passes: the upstream gets the JSON without the coding.
    static let odd: [OddRequest] =
        [
            ("gzip", Deflated.gzip(plain)), ("GZIP", Deflated.gzip(plain)), ("deflate", Deflated.zlib(plain)),
            ("Deflate", Deflated.zlib(plain)),
            // FEXTRA, FNAME and FCOMMENT.
            ("gzip", [0x1F, 0x8B, 8, 0x1C, 0, 0, 0, 0, 0, 3] + extras + Deflated.gzip(plain).dropFirst(10)),
        ].map { coding, body in OddRequest("\(coding), \(body.count) bytes", request(coding, body), body: text) }
        + [
            OddRequest(
                "gzip in chunks", chunked("gzip", Deflated.gzip(plain)), body: text),
            OddRequest(
                "a run within the limit", request("gzip", Deflated.gzip(short.data, of: short.plain)),
                body: latin1(short.plain)),
        ]

    /// Two bytes of extra field, a name and a comment.
    private static let extras: [UInt8] = [2, 0, 1, 2] + Array("name\u{0}comment\u{0}".utf8)

    private static let short = Deflated.run(15)
    private static let bomb = Deflated.run(40_000)

    static let denied = HostileTable(
        "compressed bodies",
        rows(
            .denied(400), "gzip",
            [
                ("nothing of gzip", plain), ("zlib for gzip", Deflated.zlib(plain)),
                ("bare DEFLATE", Deflated.stored(plain)),
                ("a wrong first byte", [0x1E] + gzip.dropFirst()), ("a wrong method", gzip.replacing(2, 9)),
                ("reserved flags", gzip.replacing(3, 0xE0)),
                ("a wrong checksum", gzip.replacing(gzip.count - 8, gzip[gzip.count - 8] ^ 1)),
                ("a wrong size", gzip.replacing(gzip.count - 4, 0)), ("a wrong block", gzip.replacing(10, 7)),
                ("a wrong block's length", gzip.replacing(11, 0)), ("a byte missing", Array(gzip.dropLast())),
                ("eight bytes missing", Array(gzip.dropLast(8))), ("only a head", Array(gzip.prefix(10))),
                ("one byte", [0x1F]),
                ("a byte behind", gzip + [0]), ("a line end behind", gzip + [13, 10]), ("two members", gzip + gzip),
                ("an empty member behind", gzip + Deflated.gzip([])), ("nothing within", Deflated.gzip([])),
                ("no JSON within", Deflated.gzip(Array("text".utf8))),
                ("half of a JSON object within", Deflated.gzip(Array("{".utf8))),
                ("gzip within", Deflated.gzip(gzip)), ("two objects within", Deflated.gzip(plain + plain)),
                ("a request within", Deflated.gzip(Array("GET /api/smuggled HTTP/1.1\r\n\r\n".utf8))),
            ]),
        rows(
            .denied(400), "deflate",
            [
                ("nothing of zlib", plain), ("bare DEFLATE", Deflated.stored(plain)), ("gzip for zlib", gzip),
                ("a wrong checksum", zlib.replacing(zlib.count - 1, zlib[zlib.count - 1] ^ 1)),
                ("a byte missing", Array(zlib.dropLast())),
                ("a byte behind", zlib + [0]), ("a dictionary", zlib.replacing(1, 0x20 + 0x1B)),
                ("a wrong head", zlib.replacing(0, 0x79)),
                ("two streams", zlib + zlib),
            ]),
        rows(
            .denied(413), "gzip",
            [
                ("a bomb", Array(Deflated.gzip(bomb.data, of: []).prefix(4_096))),
                ("a body over the limit", Deflated.gzip(over.data, of: over.plain)),
            ]),
        rows(.denied(413), "deflate", [("a body over the limit", Deflated.zlib(over.data, of: over.plain))]),
        rows(.denied(415), "gzip, gzip", [("listed", gzip)]), rows(.denied(415), "gzip, deflate", [("listed", gzip)]),
        rows(.denied(415), "x-gzip", [("by its old name", gzip)]),
        rows(.denied(415), "gzip;q=1", [("with a parameter", gzip)]),
        rows(.denied(415), "identity", [("by the name of none", plain)]),
        rows(.denied(415), "br", [("unknown", plain)]),
        rows(.denied(415), "\"gzip\"", [("quoted", gzip)]), rows(.denied(415), "gzip,", [("with a comma", gzip)])
    )

    private static let over = Deflated.run(16)
    private static let gzip = Deflated.gzip(plain)
    private static let zlib = Deflated.zlib(plain)

    private static func rows(_ fate: Fate, _ coding: String, _ bodies: [(String, [UInt8])]) -> [HostileRequest] {
        bodies.map { HostileRequest("\(coding): \($0.0)", request(coding, $0.1), fate) }
    }

    private static func request(_ coding: String, _ body: [UInt8]) -> String {
        withLength("Content-Encoding: \(coding)\r\nContent-Length: \(body.count)").dropLast(2) + latin1(body)
    }

    private static func chunked(_ coding: String, _ body: [UInt8]) -> String {
        let parts = body.map { "1\r\n\(latin1([$0]))\r\n" }.joined()
        return
            "POST /api/x HTTP/1.1\r\nHost: gateway\r\nContent-Encoding: \(coding)\r\nTransfer-Encoding: chunked\r\n\r\n"
            + parts + "0\r\n\r\n"
    }
}

extension [UInt8] {
    /// The same bytes but for one.
    fileprivate func replacing(_ index: Int, _ byte: UInt8) -> [UInt8] {
        var copy = self
        copy[index] = byte
        return copy
    }
}
