// The headers that only the gateway writes: a caller's are never forwarded.
// Relies on nothing. Refuses nothing itself; Gateway asks for each header that it is about to forward.

/// Names that the seal writes, or that would let a caller choose what a verifier reads.
package enum ReservedHeaders {
    private static let names = [
        "authorization", "proxy-authorization", "api_key", "x-date", "date", "host", "content-type", "content-sha512",
        "content-length", "request-line",
    ].map { Array($0.utf8) }

    /// Whether `name`, in any case, is reserved. `_` and `-` count as the same: some servers mix them.
    package static func contains(_ name: Span<UInt8>) -> Bool {
        for reserved in names where reserved.count == name.count && matches(name, reserved.span) { return true }
        return false
    }

    private static func matches(_ name: Span<UInt8>, _ reserved: Span<UInt8>) -> Bool {
        for index in name.indices where fold(name[index]) != fold(reserved[index]) { return false }
        return true
    }

    private static func fold(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        case UInt8(ascii: "_"): UInt8(ascii: "-")
        default: byte
        }
    }
}
