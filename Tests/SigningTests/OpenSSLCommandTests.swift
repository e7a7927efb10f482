// The whole signature again by another program: `openssl dgst`, fed with a string that the test builds itself.
// Relies on the openssl command. Refuses agreement by shared code: nothing of the room builds the expected side.

import Foundation
import HTTP
import Signing
import TestSupport
import Testing

@Suite("openssl command")
struct OpenSSLCommandTests {
    private func openssl(_ arguments: [String], input: [UInt8]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let toProcess = Pipe()
        let fromProcess = Pipe()
        process.standardInput = toProcess
        process.standardOutput = fromProcess
        try process.run()
        try toProcess.fileHandleForWriting.write(contentsOf: Data(input))
        try toProcess.fileHandleForWriting.close()
        let output = try #require(try fromProcess.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return output
    }

    @Test("random requests have the signature that openssl computes")
    func random() throws {
        var seed = Seed.announced()
        for index in 0..<16 {
            let algorithm: SigningAlgorithm = index % 2 == 0 ? .hmacSHA512 : .hmacSHA256
            let name = index % 2 == 0 ? "sha512" : "sha256"
            let length = [1, 20, 64, 65, 127, 128, 129, 300].randomElement(using: &seed) ?? 1
            let key = (0..<length).map { _ in UInt8.random(in: 1...255, using: &seed) }
            let body = String(
                (0..<Int.random(in: 0...500, using: &seed)).map { _ in
                    Character(UnicodeScalar(UInt8.random(in: 32...126, using: &seed)))
                })
            let target = "/t/\(UInt32.random(in: 0...9_999, using: &seed))?q=%20"
            var signer = Signer(credential(key: key, algorithm: algorithm))
            let sealed = seal(&signer, target: target, body: body)

            let digest = try openssl(["dgst", "-sha512", "-binary"], input: Array(body.utf8)).base64EncodedString()
            let string =
                "POST \(target) HTTP/1.1\nx-date: Fri, 17 Jan 2020 19:59:29 GMT\ncontent-type: application/json\n"
                + "content-sha512: \(digest)\ncontent-length: \(body.utf8.count)"
            let code = try openssl(
                ["dgst", "-\(name)", "-mac", "HMAC", "-macopt", "hexkey:\(hex(key.span))", "-binary"],
                input: Array(string.utf8))
            let expected =
                "\r\nContent-sha512: \(digest)\r\nContent-Length: \(body.utf8.count)\r\nAuthorization: hmac "
                + "username=\"u\", algorithm=\"hmac-\(name)\", headers=\"request-line x-date content-type "
                + "content-sha512 content-length\", signature=\"\(code.base64EncodedString())\"\r\n\r\n"
            #expect(text(sealed.head).hasSuffix(expected))
        }
    }
}
