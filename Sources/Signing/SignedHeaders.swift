// The list of what is signed, in the order in which it is signed. The list is the client's to order; the verifier
// follows it (Ingo, Authentication; Kong hmac-auth).

/// One item of the `headers` parameter.
package enum SignedItem: Equatable, Sendable {
    case requestLine
    case xDate
    case date
    case contentType
    case contentSHA512
    case contentLength
    case host
    /// Any other header by its lower-case name; one that is absent is signed as `name:` (Kong hmac-auth).
    case header(String)
}

/// An ordered, duplicate-free list of signed items.
package struct SignedHeaders: Equatable, Sendable {
    package let items: [SignedItem]
    /// The list as it stands in the `headers` parameter: lower case, one space between names.
    package let text: String

    /// Why a list is refused.
    package enum Problem: Error, Equatable {
        case empty
        /// Not lower case, or not a header name (RFC 9110 token).
        case badName(String)
        case twice(String)
        /// A signature that leaves this out does not protect the request.
        case missing(String)
    }

    /// `request-line x-date content-type content-sha512 content-length`, the order of Ingo's guide.
    package static let standard = SignedHeaders(
        items: [.requestLine, .xDate, .contentType, .contentSHA512, .contentLength],
        text: "request-line x-date content-type content-sha512 content-length")

    private init(items: [SignedItem], text: String) {
        self.items = items
        self.text = text
    }

    /// Reads a space-separated list. `request-line`, `content-sha512` and one of `x-date` and `date` must be in it.
    package init(parsing list: String) throws(Problem) {
        var items: [SignedItem] = []
        let names = list.split(separator: " ")
        guard !names.isEmpty else { throw .empty }
        for name in names {
            guard name.utf8.allSatisfy(Self.isNameByte) else { throw .badName(String(name)) }
            let item = Self.item(String(name))
            guard !items.contains(item) else { throw .twice(String(name)) }
            items.append(item)
        }
        guard items.contains(.requestLine) else { throw .missing("request-line") }
        guard items.contains(.xDate) || items.contains(.date) else { throw .missing("x-date") }
        guard items.contains(.contentSHA512) else { throw .missing("content-sha512") }
        self.init(items: items, text: names.joined(separator: " "))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static func item(_ name: String) -> SignedItem {
        switch name {
        case "request-line": .requestLine
        case "x-date": .xDate
        case "date": .date
        case "content-type": .contentType
        case "content-sha512": .contentSHA512
        case "content-length": .contentLength
        case "host": .host
        default: .header(name)
        }
    }
}
