// Which bytes may stand where in a request head, spelled out by their characters as the RFCs have them: in the code
// they are numbers.

import HTTP
import Testing

@Suite struct GrammarBytesTests {
    private static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    /// `others`: what may stand at the place beside letters and digits.
    struct Place: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let before: String
        let after: String
        let others: String
    }

    @Test(arguments: [
        // tchar (RFC 9110 section 5.6.2). A colon ends the name.
        Place(
            testDescription: "field name", before: "GET / HTTP/1.1\r\nHost: h\r\nA", after: "B: v\r\n\r\n",
            others: "!#$%&'*+-.^_`|~:"),
        // pchar (RFC 3986 section 3.3) but for `%` without two digits; a slash and a question mark part.
        Place(
            testDescription: "path", before: "GET /a", after: "xy HTTP/1.1\r\nHost: h\r\n\r\n",
            others: "-_~!$&'()*+,;=:@./?"),
        // query (RFC 3986 section 3.4).
        Place(
            testDescription: "query", before: "GET /a?b", after: "xy HTTP/1.1\r\nHost: h\r\n\r\n",
            others: "-._~!$&'()*+,;=:@/?"),
        // The part of reg-name (RFC 3986 section 3.2.2) that has one reading.
        Place(
            testDescription: "host", before: "GET / HTTP/1.1\r\nHost: a", after: "b\r\n\r\n", others: "-._~"),
    ])
    func aPlaceTakesItsBytesAndNoOther(_ place: Place) {
        let wanted = Set((Self.alphanumeric + place.others).utf8)
        for byte in UInt8.min...UInt8.max {
            let head = Array(place.before.utf8) + [byte] + Array(place.after.utf8)
            let accepted = readRequest(head).progress == .complete
            #expect(accepted == wanted.contains(byte), "byte \(byte)")
        }
    }
}
