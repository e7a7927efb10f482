// The bytes of a request: the same POST that post.lua sends, with a number of its own where keys are asked for.
// Relies on the body's size to be large enough for its fixed part. Refuses nothing: the settings were checked.

/// One request's bytes; the number is written in place.
package struct RequestTemplate: Sendable {
    /// Smallest body, in bytes.
    package static let smallestBody = bodyStart.utf8.count + bodyEnd.utf8.count
    /// Digits of a number.
    package static let digits = 10

    private static let bodyStart =
        #"{"account_id":"rbac-7Jq2hT0yXw","amount":"100.00","currency":"USD","idempotent_key":"idp-0000000000","#
        + #""description":""#
    private static let bodyEnd = "\"}"
    private static let zeros = String(repeating: "0", count: digits)

    /// Head and body.
    package private(set) var bytes: [UInt8]
    /// Where numbers go: in the header, where there is one, and in the body.
    private var places: [Int] = []

    /// A POST of `bodyBytes` to `path`; `keys`, where it is not empty, is what every idempotency key begins with.
    package init(host: String, path: String, bodyBytes: Int, keys: String) {
        precondition(bodyBytes >= Self.smallestBody, "a body has room for its fixed part")
        var head = "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\n"
        head += "Accept: application/json\r\nUser-Agent: loadtest/1\r\n"
        head += "X-Request-Id: 0b8f7c0e-6f5e-4b39-9d0f-2f5f0a1f9f10\r\n"
        if !keys.isEmpty {
            head += "Idempotency-Key: \(keys)"
            places.append(head.utf8.count)
            head += Self.zeros + "\r\n"
        }
        head += "Content-Length: \(bodyBytes)\r\n\r\n"
        let filler = String(repeating: "x", count: bodyBytes - Self.smallestBody)
        bytes = Array((head + Self.bodyStart + filler + Self.bodyEnd).utf8)
        // The body's number lies at the same offset from its front in every request.
        if !keys.isEmpty, let quote = Self.bodyStart.range(of: Self.zeros) {
            places.append(head.utf8.count + Self.bodyStart.utf8.distance(from: Self.bodyStart.startIndex, to: quote))
        }
    }

    /// Writes a number (its last ten digits) into header and body; nothing where there are no keys.
    package mutating func setNumber(_ number: UInt64) {
        for place in places {
            var rest = number
            for digit in (0..<Self.digits).reversed() {
                bytes[place + digit] = UInt8(48 + rest % 10)
                rest /= 10
            }
        }
    }
}

extension String {
    /// Where `text` begins; nil where it does not occur. (The standard library alone has no search for a text.)
    fileprivate func range(of text: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
