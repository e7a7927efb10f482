// How an operator names a key: by the caller's text and the route, or by the beginning of its hash.
// Relies on the same hash as the gateway (Signing's StoreDigester), under each of the store's keys. Refuses texts that
// no caller's key can be, and beginnings so short that a slip of the hand would fit.

internal import Config
internal import HTTP
internal import Net
internal import Policy
internal import Signing

/// What the command line says.
enum KeyName {
    case text([UInt8], route: String)
    case id(KeyPrefix)

    /// Longest key in bytes, as callers may send it.
    private static let maxLength = 255

    init(_ arguments: Arguments) throws(Arguments.Problem) {
        if let id = arguments["id"] {
            guard arguments["key"] == nil, arguments["route"] == nil else {
                throw Arguments.Problem(text: "--id stands in place of --route and --key")
            }
            guard let prefix = KeyPrefix(id) else {
                throw Arguments.Problem(text: "--id takes \(KeyPrefix.minDigits) to 64 hexadecimal digits")
            }
            self = .id(prefix)
        } else {
            guard arguments.has("key") || arguments.has("route") else {
                throw Arguments.Problem(text: "--route and --key, or --id, are needed")
            }
            let route = try arguments.required("route")
            let text = try arguments.required("key")
            let bytes = text == "-" ? try Self.readKey() : Array(text.utf8)
            guard (1...Self.maxLength).contains(bytes.count), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw Arguments.Problem(
                    text: "--key takes a text of 1 to \(Self.maxLength) bytes without control characters")
            }
            self = .text(bytes, route: route)
        }
    }

    /// Standard input without the line break at its end.
    private static func readKey() throws(Arguments.Problem) -> [UInt8] {
        do throws(Console.ReadFailure) {
            var bytes = try Console.read("-")
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            return bytes
        } catch {
            throw Arguments.Problem(text: "--key cannot be read from standard input: \(error.reason)")
        }
    }
}

/// The first digits of a key's hash.
struct KeyPrefix {
    /// Fewest digits.
    static let minDigits = 4

    /// The hashes that begin so: from the first to the last, both included.
    let first: KeyDigest
    let last: KeyDigest

    /// Nil for what is not 4 to 64 hexadecimal digits.
    init?(_ text: String) {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, (Self.minDigits...64).contains(digits.count) else { return nil }
        first = Self.filled(digits, with: 0)
        last = Self.filled(digits, with: 0xF)
    }

    private static func filled(_ digits: [Int], with rest: Int) -> KeyDigest {
        let all = digits + Array(repeating: rest, count: 64 - digits.count)
        let bytes = (0..<Digest32.count).map { UInt8(all[2 * $0] << 4 | all[2 * $0 + 1]) }
        return KeyDigest(Digest32(bytes.span))
    }
}

/// Where the store may have the key.
enum KeyAddress {
    /// Under the store's current key first, then under previous ones.
    case digests([KeyDigest])
    case prefix(KeyPrefix)

    init(_ name: KeyName, _ settings: Settings) throws(Arguments.Problem) {
        switch name {
        case .id(let prefix): self = .prefix(prefix)
        case .text(let key, let route):
            self = .digests(Self.digests(key, of: settings.routes[try settings.route(route)], settings))
        }
    }

    private static func digests(_ key: [UInt8], of route: RouteSettings, _ settings: Settings) -> [KeyDigest] {
        let credential = Array(settings.credentials[route.credential].name.utf8)
        let name = Array(route.name.utf8)
        return (settings.store?.keys ?? []).map { secret in
            var digester = StoreDigester(StoreKeys(derivedFrom: secret))
            let digest = digester.key(key.span, credential: credential.span, route: name.span)
            return KeyDigest(Digest32(digest.span))
        }
    }
}

extension KeyDigest {
    /// 64 hexadecimal digits.
    var name: String {
        let bytes = value.bytes
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for index in 0..<Digest32.count {
            text.append(digits[Int(bytes[index] >> 4)])
            text.append(digits[Int(bytes[index] & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// As the list shows it: 16 digits, which no two keys of a store have in common but by an accident of one in
    /// millions of stores.
    var shortName: String { String(name.prefix(16)) }
}
