// Compressed request bodies: the upstream gets the JSON itself, signed; what cannot be taken apart is refused unsent.
// The coded bodies were made by Python's gzip and zlib modules.

import Foundation
import TestSupport
import Testing

@Suite struct CodingTests {
    /// `{"user_id":"u1"}`.
    private static let gzipped = Array(Data(base64Encoded: "H4sIAAAAAAAC/6tWKi1OLYrPTFGyUio1VKoFAH/B+mwQAAAA")!)
    private static let deflated = Array(Data(base64Encoded: "eJyrViotTi2Kz0xRslIqNVSqBQAwQAVM")!)

    private let upstream: FakeUpstream
    private let gateway: GatewayUnderTest

    init() throws {
        upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.keyPlace = "body"
        gateway = try GatewayUnderTest(setup)
    }

    private func ask(_ coding: String, _ body: [UInt8], chunked: Bool = false) throws -> Message {
        let caller = try gateway.caller()
        var request = Array(
            "POST /a HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Encoding: \(coding)\r\n"
                .utf8)
        if chunked {
            request += Array("Transfer-Encoding: chunked\r\n\r\n".utf8)
            for byte in body { request += Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8) }
            request += Array("0\r\n\r\n".utf8)
        } else {
            request += Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
        }
        try caller.send(request)
        return try caller.answer()
    }

    @Test func theUpstreamGetsTheJSONItself() throws {
        let bodies = [("gzip", Self.gzipped), ("deflate", Self.deflated), ("GZIP", Self.gzipped)]
        for (coding, body) in bodies {
            for chunked in [false, true] {
                #expect(try ask(coding, body, chunked: chunked).status == 200)
            }
        }
        #expect(upstream.requests.count == 6)
        for seen in upstream.requests {
            #expect(seen.text == #"{"api_key":"demo-api-key","user_id":"u1"}"#)
            #expect(seen["content-encoding"] == nil && seen["content-length"] == "\(seen.text.utf8.count)")
        }
    }

    @Test func otherCodingsAreRefusedByName() throws {
        for coding in ["br", "identity", "x-gzip", "gzip, gzip", "deflate, gzip", "compress"] {
            let answer = try ask(coding, Self.gzipped)
            #expect(answer.status == 415, "\(coding)")
        }
        #expect(upstream.connections == 0)
    }

    @Test func brokenAndAmbiguousBodiesAreRefused() throws {
        let wrong: [(String, [UInt8])] = [
            ("gzip", Array(Self.gzipped.dropLast())), ("gzip", Self.gzipped + [0]), ("gzip", Self.deflated),
            ("gzip", Self.gzipped + Self.gzipped), ("deflate", Self.gzipped), ("gzip", Array("{}".utf8)),
            ("deflate", Array(Self.deflated.dropFirst(2))),
        ]
        for (coding, body) in wrong { #expect(try ask(coding, body).status == 400) }
        #expect(upstream.connections == 0)
    }

    @Test func aBombEndsAtTheBodysLimit() throws {
        // 1 MiB and 8 bytes of JSON in a kilobyte; the limit is 1 MiB.
        let bomb = Array(
            Data(
                base64Encoded: """
                    eNrtwTERADAIBDAvr4C5btDB4b0iWJNMOi8FAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHCU/fjHLxw=
                    """, options: .ignoreUnknownCharacters)!)
        #expect(try ask("deflate", bomb).status == 413)
        #expect(upstream.connections == 0)
    }
}
