// Requests that must be refused, with the reason for each.
// Each is also fed in fragments: the reason must not depend on how the bytes arrive.

import HTTP
import TestSupport
import Testing

private func post(_ fields: String...) -> String {
    "POST /x HTTP/1.1\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

private func line(_ line: String) -> String { "\(line)\r\nHost: h\r\n\r\n" }

private func get(_ target: String, host: String = "h") -> String { "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n" }

private let startLines: [HeadCase] = [
    HeadCase("\r\n" + get("/"), .badMethod), HeadCase("\n" + get("/"), .badMethod),
    HeadCase(" " + get("/"), .badMethod),
    HeadCase("\0", .badMethod), HeadCase("\u{16}\u{3}\u{1}", .badMethod), HeadCase("{\"a\":1}", .badMethod),
    HeadCase(line("GET"), .badStartLine), HeadCase(line("GET /"), .badVersion), HeadCase(line("GET / "), .badStartLine),
    HeadCase(line("GET  / HTTP/1.1"), .badStartLine), HeadCase(line("GET /  HTTP/1.1"), .badStartLine),
    HeadCase(line("GET / HTTP/1.1 "), .badVersion), HeadCase(line("GET\t/\tHTTP/1.1"), .badStartLine),
    HeadCase(line("GET /\tHTTP/1.1"), .badVersion), HeadCase(line("GET / HTTP/1.1\t"), .badVersion),
    HeadCase(line("GET / x HTTP/1.1"), .badVersion), HeadCase(line("GET / HTTP/1.1 x"), .badVersion),
    HeadCase(line("GE(T / HTTP/1.1"), .badMethod), HeadCase(line("GET: / HTTP/1.1"), .badMethod),
    HeadCase(line("get / HTTP/1.1"), .unsupportedMethod), HeadCase(line("FOO / HTTP/1.1"), .unsupportedMethod),
    HeadCase(line("GETGETGET / HTTP/1.1"), .unsupportedMethod), HeadCase(line("POS / HTTP/1.1"), .unsupportedMethod),
    HeadCase(line("CONNECT h:443 HTTP/1.1"), .unsupportedMethod),
    HeadCase(line("TRACE / HTTP/1.1"), .unsupportedMethod),
    HeadCase("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
    HeadCase(line("GET / HTTP/1.0"), .unsupportedVersion),
    HeadCase(line("GET / HTTP/1.2"), .unsupportedVersion), HeadCase(line("GET / HTTP/9.9"), .unsupportedVersion),
    HeadCase(line("GET / HTTP/1.10"), .badVersion), HeadCase(line("GET / http/1.1"), .badVersion),
    HeadCase(line("GET / HTTP/1,1"), .badVersion), HeadCase(line("GET / HTTP/.11"), .badVersion),
    HeadCase(line("GET / HTTP/1."), .badVersion), HeadCase(line("GET / HTTP/ 1.1"), .badVersion),
    HeadCase(line("GET / HTTP/11"), .badVersion), HeadCase(line("GET / HTTP"), .badVersion),
    HeadCase(line("GET / ICAP/1.1"), .badVersion), HeadCase(line("GET / HTTP/a.1"), .badVersion),
    HeadCase("GET / HTTP/1.1\nHost: h\n\n", .bareLF), HeadCase("GET / HTTP/1.1\rHost: h\r\r", .bareCR),
    HeadCase("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", .bareCR), HeadCase("GET /\0 HTTP/1.1\r\n", .badStartLine),
    HeadCase("GET /\u{7f} HTTP/1.1\r\n", .badStartLine), HeadCase("GET /é HTTP/1.1\r\n", .badStartLine),
    HeadCase("GÉT / HTTP/1.1\r\n", .badStartLine), HeadCase("GET / HTTP/1.1\u{b}\r\n", .badStartLine),
]

private let targets: [HeadCase] = [
    HeadCase(get("*"), .badTargetForm), HeadCase(line("OPTIONS * HTTP/1.1"), .badTargetForm),
    HeadCase(get("h:80"), .badTargetForm), HeadCase(get("x"), .badTargetForm), HeadCase(get("?x"), .badTargetForm),
    HeadCase(get("http://h"), .badTargetForm), HeadCase(get("http:///"), .badTargetForm),
    HeadCase(get("http:///a"), .badTarget),
    HeadCase(get("http://h?x"), .badTargetForm), HeadCase(get("http:/h/"), .badTargetForm),
    HeadCase(get("ftp://h/"), .badTargetForm), HeadCase(get("http://u@h/"), .badTarget),
    HeadCase(get("http://u:p@h/"), .badTarget), HeadCase(get("http://h?@x/"), .badTarget),
    HeadCase(get("http://other/"), .hostDiffers), HeadCase(get("http://h:80/"), .hostDiffers),
    HeadCase(get("http://h/", host: "h:80"), .hostDiffers), HeadCase(get("http://h/../"), .ambiguousPath),
    HeadCase(get("/#"), .badTarget), HeadCase(get("/a#b"), .badTarget), HeadCase(get("/?a#b"), .badTarget),
    HeadCase(get("/\""), .badTarget), HeadCase(get("/<"), .badTarget), HeadCase(get("/>"), .badTarget),
    HeadCase(get("/\\"), .badTarget), HeadCase(get("/^"), .badTarget), HeadCase(get("/`"), .badTarget),
    HeadCase(get("/{"), .badTarget), HeadCase(get("/|"), .badTarget), HeadCase(get("/}"), .badTarget),
    HeadCase(get("/[a]"), .badTarget), HeadCase(get("/?[a]"), .badTarget), HeadCase(get("/%"), .badTarget),
    HeadCase(get("/%2"), .badTarget), HeadCase(get("/%2g"), .badTarget), HeadCase(get("/%g2"), .badTarget),
    HeadCase(get("/%%20"), .badTarget), HeadCase(get("/?%"), .badTarget), HeadCase(get("/?a=%4"), .badTarget),
    HeadCase(get("/%u0041"), .badTarget), HeadCase(get("/."), .ambiguousPath), HeadCase(get("/.."), .ambiguousPath),
    HeadCase(get("/./a"), .ambiguousPath), HeadCase(get("/a/../b"), .ambiguousPath),
    HeadCase(get("/a/.."), .ambiguousPath),
    HeadCase(get("/a/.?x"), .ambiguousPath), HeadCase(get("/%2e"), .ambiguousPath),
    HeadCase(get("/%2E%2e/a"), .ambiguousPath),
    HeadCase(get("/.%2e/a"), .ambiguousPath), HeadCase(get("/%2e./a"), .ambiguousPath),
    HeadCase(get("/..;/a"), .ambiguousPath),
    HeadCase(get("/a%2fb"), .ambiguousPath), HeadCase(get("/a%2Fb"), .ambiguousPath),
    HeadCase(get("/a%5cb"), .ambiguousPath),
    HeadCase(get("/a%5C"), .ambiguousPath), HeadCase(get("/%00"), .ambiguousPath),
    HeadCase(get("/%0d%0a"), .ambiguousPath),
    HeadCase(get("/%1f"), .ambiguousPath), HeadCase(get("/%7F"), .ambiguousPath), HeadCase(get("//"), .ambiguousPath),
    HeadCase(get("//a"), .ambiguousPath), HeadCase(get("/a//b"), .ambiguousPath), HeadCase(get("/a//"), .ambiguousPath),
]

private let hosts: [HeadCase] = [
    HeadCase("GET / HTTP/1.1\r\n\r\n", .noHost), HeadCase("GET / HTTP/1.1\r\nX-Host: h\r\n\r\n", .noHost),
    HeadCase(post("Host: h"), .twoHosts), HeadCase(post("HOST: other"), .twoHosts),
    HeadCase(get("/", host: ""), .badHost),
    HeadCase(get("/", host: "a b"), .badHost), HeadCase(get("/", host: "a,b"), .badHost),
    HeadCase(get("/", host: "u@h"), .badHost), HeadCase(get("/", host: "h:"), .badHost),
    HeadCase(get("/", host: ":80"), .badHost), HeadCase(get("/", host: "h:0"), .badHost),
    HeadCase(get("/", host: "h:080"), .badHost), HeadCase(get("/", host: "h:65536"), .badHost),
    HeadCase(get("/", host: "h:100000"), .badHost), HeadCase(get("/", host: "h:8o"), .badHost),
    HeadCase(get("/", host: "h:80:80"), .badHost), HeadCase(get("/", host: "h:+80"), .badHost),
    HeadCase(get("/", host: "h/"), .badHost), HeadCase(get("/", host: "h%41"), .badHost),
    HeadCase(get("/", host: "http://h"), .badHost), HeadCase(get("/", host: "[::1"), .badHost),
    HeadCase(get("/", host: "::1"), .badHost), HeadCase(get("/", host: "[]"), .badHost),
    HeadCase(get("/", host: "[::1]x"), .badHost), HeadCase(get("/", host: "[1:2:3:4:5:6:7]"), .badHost),
    HeadCase(get("/", host: "[1:2:3:4:5:6:7:8:9]"), .badHost), HeadCase(get("/", host: "[1::2::3]"), .badHost),
    HeadCase(get("/", host: "[12345::]"), .badHost), HeadCase(get("/", host: "[g::]"), .badHost),
    HeadCase(get("/", host: "[1:2:3:4:5:6:7:8::]"), .badHost), HeadCase(get("/", host: "[fe80::1%25eth0]"), .badHost),
    HeadCase(get("/", host: "[::1.2.3]"), .badHost), HeadCase(get("/", host: "[::1.2.3.256]"), .badHost),
    HeadCase(get("/", host: "[::1.2.3.04]"), .badHost), HeadCase(get("/", host: "[:1]"), .badHost),
    HeadCase(get("/", host: "[1:]"), .badHost), HeadCase(get("/", host: "[v1.a]"), .badHost),
]

private let fields: [HeadCase] = [
    HeadCase(post(" folded"), .obsFold), HeadCase(post("X: a", "\tfolded"), .obsFold),
    HeadCase(post("NoColon"), .badFieldName),
    HeadCase("GET / HTTP/1.1\r\n Host: h\r\n\r\n", .obsFold), HeadCase(post(": v"), .badFieldName),
    HeadCase(post("X : v"), .badFieldName), HeadCase(post("X\t: v"), .badFieldName),
    HeadCase(post("Host : h"), .badFieldName),
    HeadCase(post("Content-Length : 5"), .badFieldName), HeadCase(post("X Y: v"), .badFieldName),
    HeadCase(post("X[]: v"), .badFieldName), HeadCase(post("X(a): v"), .badFieldName),
    HeadCase(post("X\"a: v"), .badFieldName),
    HeadCase(post("X/a: v"), .badFieldName), HeadCase(post("X\0: v"), .badFieldName),
    HeadCase(post("é: v"), .badFieldName),
    HeadCase(post("X: a\0b"), .badFieldValue), HeadCase(post("X: a\u{1}"), .badFieldValue),
    HeadCase(post("X: \u{1f}"), .badFieldValue), HeadCase(post("X: \u{7f}"), .badFieldValue),
    HeadCase(post("X: é"), .badFieldValue), HeadCase(post("X: a\u{b}b"), .badFieldValue),
    HeadCase(post("X: a\nB: c"), .bareLF),
    HeadCase(post("X: a\rB: c"), .bareCR), HeadCase(post("X: a\r"), .bareCR), HeadCase(post("\r"), .bareCR),
    HeadCase("GET / HTTP/1.1\r\nHost: h\r\n\n", .bareLF), HeadCase("GET / HTTP/1.1\r\nHost: h\r\n\r\r\n", .bareCR),
    HeadCase(post("Content-Type: a", "Content-Type: a"), .repeatedField),
    HeadCase(post("Content-Encoding: a", "content-encoding: b"), .repeatedField),
    HeadCase(post("Authorization: a", "Authorization: a"), .repeatedField),
    HeadCase(post("Idempotency-Key: a", "Idempotency-Key: b"), .repeatedField),
    HeadCase(post("Expect: 100-continue", "Expect: 100-continue"), .repeatedField),
    HeadCase(post("Expect: 200-ok"), .unsupportedExpectation), HeadCase(post("Expect:"), .unsupportedExpectation),
    HeadCase(post("Expect: 100-continue, x"), .unsupportedExpectation), HeadCase(post("Upgrade: h2c"), .upgradeRefused),
    HeadCase(post("Upgrade: websocket", "Connection: upgrade"), .upgradeRefused),
    HeadCase(post("upgrade:"), .upgradeRefused),
    HeadCase(post("HTTP2-Settings: AAMAAABk"), .upgradeRefused), HeadCase(post("Connection: Upgrade"), .upgradeRefused),
    HeadCase(post("Connection: close, http2-settings"), .upgradeRefused), HeadCase(post("Connection:"), .badConnection),
    HeadCase(post("Connection: ,"), .badConnection), HeadCase(post("Connection: close,"), .badConnection),
    HeadCase(post("Connection: ,close"), .badConnection), HeadCase(post("Connection: close,,x"), .badConnection),
    HeadCase(post("Connection: a b"), .badConnection), HeadCase(post("Connection: \"close\""), .badConnection),
    HeadCase(post("Connection: close;x"), .badConnection), HeadCase(post("Connection: content-length"), .badConnection),
    HeadCase(post("Connection: Transfer-Encoding"), .badConnection),
    HeadCase(post("Connection: close, Host"), .badConnection),
    HeadCase(post("Connection: content-type"), .badConnection),
    HeadCase(post("Connection: authorization"), .badConnection),
    HeadCase(post("Connection: x-date"), .badConnection), HeadCase(post("Connection: api_key"), .badConnection),
    HeadCase(post("Connection: idempotency-key"), .badConnection), HeadCase(post("Trailer:"), .badTrailer),
    HeadCase(post("Trailer: content-length"), .badTrailer), HeadCase(post("Trailer: x, Host"), .badTrailer),
    HeadCase(post("Trailer: transfer_encoding"), .badTrailer), HeadCase(post("Trailer: a,,b"), .badTrailer),
    HeadCase(post("Trailer: authorization"), .badTrailer),
]

private let framings: [HeadCase] = [
    HeadCase(post("Content-Length: 5", "Transfer-Encoding: chunked"), .bothFramings),
    HeadCase(post("Transfer-Encoding: chunked", "Content-Length: 5"), .bothFramings),
    HeadCase(post("Content-Length: 0", "Transfer-Encoding: chunked"), .bothFramings),
    HeadCase(post("Content-Length: 5", "Content-Length: 5"), .differingContentLengths),
    HeadCase(post("Content-Length: 5", "content-length: 6"), .differingContentLengths),
    HeadCase(post("Content-Length:"), .badContentLength), HeadCase(post("Content-Length: +5"), .badContentLength),
    HeadCase(post("Content-Length: -5"), .badContentLength), HeadCase(post("Content-Length: -0"), .badContentLength),
    HeadCase(post("Content-Length: 05"), .badContentLength), HeadCase(post("Content-Length: 00"), .badContentLength),
    HeadCase(post("Content-Length: 5, 5"), .badContentLength), HeadCase(post("Content-Length: 5,"), .badContentLength),
    HeadCase(post("Content-Length: 5 5"), .badContentLength), HeadCase(post("Content-Length: 0x5"), .badContentLength),
    HeadCase(post("Content-Length: 5.0"), .badContentLength), HeadCase(post("Content-Length: 5e1"), .badContentLength),
    HeadCase(post("Content-Length: five"), .badContentLength),
    HeadCase(post("Content-Length: \"5\""), .badContentLength),
    HeadCase(post("Content-Length: 1_0"), .badContentLength), HeadCase(post("Content-Length: 5;"), .badContentLength),
    HeadCase(post("Content-Length: 9999999999999999999x"), .badContentLength),
    HeadCase(post("Content-Length: 999999999999999999"), .bodyTooLarge),
    HeadCase(post("Content-Length: 9223372036854775808"), .bodyTooLarge),
    HeadCase(post("Content-Length: 18446744073709551621"), .bodyTooLarge),
    HeadCase(post("Content-Length: 100000000000000000000000000000000005"), .bodyTooLarge),
    HeadCase(post("Transfer-Encoding:"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: gzip"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: identity"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: gzip, chunked"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunked, gzip"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunked, chunked"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunked,"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: ,chunked"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunked;q=1"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: \"chunked\""), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: xchunked"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunkedx"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunke"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: chunk\ted"), .badTransferCoding),
    HeadCase(post("Transfer-Encoding: \u{b}chunked"), .badFieldValue),
    HeadCase(post("Transfer-Encoding : chunked"), .badFieldName),
    HeadCase(post("Transfer-Encoding: chun\u{212A}ed"), .badFieldValue),
    HeadCase(post("Transfer-Encoding:\r\n chunked"), .badTransferCoding),
]

@Suite struct RequestRefusalTests {
    @Test(arguments: startLines + targets + hosts + fields + framings)
    func isRefusedInAllFragments(_ example: HeadCase) {
        let bytes = example.bytes
        let expected = RequestReading(progress: .refused(example.refusal!))
        #expect(readRequest(bytes) == expected)
        #expect(agreesInAllFragments(count: bytes.count, seed: 2, expected: expected) { readRequest(bytes, cuts: $0) })
        #expect((400...505).contains(example.refusal!.status))
    }

    @Test func everyControlByteIsRefusedEverywhere() {
        let good = Array(post("Content-Type: a/b", "X-Value: some value", "Content-Length: 5").utf8)
        for at in good.indices {
            for byte in Array(UInt8(0)...0x1F) + [0x7F, 0x80, 0xFF] {
                var bytes = good
                bytes[at] = byte
                guard bytes != good else { continue }
                let whole = readRequest(bytes)
                if case .refused = whole.progress {} else if byte != 9 { Issue.record("byte \(byte) at \(at) passed") }
                #expect(readRequest(bytes, cuts: Array(0..<bytes.count)) == whole)
            }
        }
    }

    /// Mutations of good heads: whatever the answer is, it must be the same in all fragments.
    @Test func mutationsDoNotDependOnFragments() {
        let seed = printedSeed("mutationsDoNotDependOnFragments")
        var random = Seed(seed)
        let alphabet = Array("\r\n\t :,;/.%?#0159aZ_-\"\0é".utf8)
        let goods = [
            Array(post("Transfer-Encoding: chunked", "Connection: close, x-y", "X-Y: 1", "Trailer: z").utf8),
            Array(post("Content-Length: 10", "X-Content-Length: 10", "Content-Type: a").utf8),
        ]
        for _ in 0..<3000 {
            var bytes = goods.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                let byte = alphabet.randomElement(using: &random)!
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = byte
                case 1: bytes.insert(byte, at: at)
                default: bytes.remove(at: at)
                }
            }
            let whole = readRequest(bytes)
            #expect(readRequest(bytes, cuts: Array(0..<bytes.count)) == whole, "\(bytes)")
            let cut = Int.random(in: 0..<bytes.count, using: &random)
            #expect(readRequest(bytes, cuts: [cut]) == whole, "\(bytes) at \(cut)")
            if whole.progress == .complete { #expect(hasOneReading(Array(bytes[..<whole.length])), "\(bytes)") }
        }
    }
}

/// A slow second opinion on what was accepted, written without the parser's parts: lines, names, host and framing.
private func hasOneReading(_ head: [UInt8]) -> Bool {
    guard head.allSatisfy({ (0x20...0x7E).contains($0) || [9, 10, 13].contains($0) }) else { return false }
    // A Swift Character is a whole CR LF, so what is left of either is a lone one.
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
    guard lines.count >= 3 && lines.suffix(2).allSatisfy({ $0.isEmpty }) else { return false }
    guard !lines.contains(where: { $0.contains("\r") || $0.contains("\n") }) else { return false }
    let parts = lines[0].split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3 && parts[1].hasPrefix("/") && parts[2] == "HTTP/1.1" else { return false }
    guard !parts[1].contains("//") && !parts[1].contains("#") && !parts[1].contains("\t") else { return false }
    var values: [String: [String]] = [:]
    for line in lines.dropFirst().dropLast(2) {
        let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isToken = pair[0].allSatisfy { $0.isLetter || $0.isNumber || "!#$%&'*+-.^_`|~".contains($0) }
        guard pair.count == 2 && !pair[0].isEmpty && isToken else { return false }
        let value = pair[1].split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
        values[pair[0].lowercased(), default: []].append(value)
    }
    let lengths = values["content-length", default: []]
    let codings = values["transfer-encoding", default: []]
    guard values["host", default: []].count == 1 && lengths.count + codings.count <= 1 else { return false }
    return codings.allSatisfy { $0.lowercased() == "chunked" } && lengths.allSatisfy { String(Int($0) ?? -1) == $0 }
}
