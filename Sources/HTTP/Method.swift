// The request methods that the gateway knows. All others are refused with 501 (RFC 9110 section 9.1).

/// A request method. CONNECT and TRACE are refused by the parser; they have no meaning for a signing proxy.
package enum Method: UInt8, CaseIterable, Sendable {
    case get, head, post, put, patch, delete, options

    /// The method's bytes in a request line.
    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        }
    }
}

/// A set of methods, for routes and for the `Allow` header.
package struct MethodSet: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package init(_ method: Method) { rawValue = 1 << method.rawValue }

    package func contains(_ method: Method) -> Bool { rawValue & (1 << method.rawValue) != 0 }
}
