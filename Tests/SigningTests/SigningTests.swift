// The vectors, byte for byte: string to sign, digest, every header and the whole head.
// Relies on Vectors/signing.json. Refuses a draft or a seal that writes anything but what the vectors say.

import Foundation
import HTTP
import Signing
import Testing

/// One case of Vectors/signing.json.
struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    struct Credential: Decodable, Sendable {
        var username: String
        var secret: String
        var algorithm: String
        var signed_headers: String
    }
    struct Expected: Decodable, Sendable {
        var date: String
        var type: String
        var digest: String
        var length: String
        var string: String
        var authorization: String

        enum CodingKeys: String, CodingKey {
            case date = "x-date"
            case type = "content-type"
            case digest = "content-sha512"
            case length = "content-length"
            case string = "string_to_sign"
            case authorization
        }
    }
    var name: String
    var method: String
    var target: String
    var body: String
    var credential: Credential
    var unix_time: Int64
    var expect: Expected

    var testDescription: String { name }

    static let all: [Vector] = {
        guard let url = Bundle.module.url(forResource: "signing", withExtension: "json", subdirectory: "Vectors"),
            let data = try? Data(contentsOf: url), let vectors = try? JSONDecoder().decode([Vector].self, from: data)
        else { return [] }
        return vectors
    }()

    var settings: CredentialSettings {
        get throws {
            CredentialSettings(
                name: name, username: credential.username, secret: secret(credential.secret),
                algorithm: credential.algorithm == "hmac-sha512" ? .hmacSHA512 : .hmacSHA256,
                signedHeaders: try SignedHeaders(parsing: credential.signed_headers))
        }
    }
}

@Suite("signing vectors")
struct SigningTests {
    @Test("all vectors are read")
    func count() { #expect(Vector.all.count == 24) }

    @Test("a vector comes out to the byte", arguments: Vector.all)
    func vector(_ vector: Vector) throws {
        var signer = Signer(try vector.settings, keepsString: true)
        let method = try #require(Method.allCases.first { "\($0.name)" == vector.method })
        let sealed = seal(&signer, method: method, target: vector.target, body: vector.body, at: vector.unix_time)
        let expect = vector.expect
        #expect(text(signer.stringToSign) == expect.string)
        #expect(
            text(sealed.head)
                == "\(vector.method) \(vector.target) HTTP/1.1\r\nHost: upstream.test\r\nX-Date: \(expect.date)\r\n"
                + "Content-Type: \(expect.type)\r\nContent-sha512: \(expect.digest)\r\n"
                + "Content-Length: \(expect.length)\r\nAuthorization: \(expect.authorization)\r\n\r\n")
        #expect(sealed.bodyLength == vector.body.utf8.count)
        // A verifier that reads the sent bytes builds the same string.
        let names = vector.credential.signed_headers.split(separator: " ").map(String.init)
        #expect(text(SigningString.build(names, from: sealed.head).span) == expect.string)
    }
}
