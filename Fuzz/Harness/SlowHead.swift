// A head cut into lines and fields by the plainest means, to judge the parsers by. Relies on nothing of them. Refuses
// whatever does not consist of whole CR LF lines up to an empty one.

/// A field as it was sent, with its name made comparable.
package struct SlowField: Equatable {
    package var name: [UInt8]
    package var value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }

    /// The name in small letters.
    package var key: String { String(decoding: name, as: UTF8.self).lowercased() }

    /// The name as an upstream may take it that makes no difference between `_` and `-`.
    package var folded: String { String(key.map { $0 == "_" ? "-" : $0 }) }
}

/// Start line and fields.
package struct SlowHead {
    package var startLine: [UInt8]
    package var fields: [SlowField]

    /// Reads a head that ends with its empty line at the last byte.
    package init?(_ bytes: [UInt8]) {
        guard var lines = Self.lines(bytes), lines.count >= 2, lines.popLast() == [], !lines.contains([]) else {
            return nil
        }
        startLine = lines.removeFirst()
        fields = []
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            fields.append(SlowField(name: Array(line[..<colon]), value: Self.trimmed(Array(line[(colon + 1)...]))))
        }
    }

    /// The fields alone, such as those that are forwarded.
    package static func fields(_ bytes: [UInt8]) -> [SlowField]? {
        SlowHead(Array("x\r\n".utf8) + bytes + Array("\r\n".utf8))?.fields
    }

    /// The values of all fields with this name.
    package func values(_ key: String) -> [[UInt8]] { fields.filter { $0.key == key }.map(\.value) }

    /// The words of a comma-separated field, in small letters.
    package func words(_ key: String) -> [String] {
        values(key).flatMap { value in
            value.split(separator: UInt8(ascii: ","))
                .map { String(decoding: Self.trimmed(Array($0)), as: UTF8.self).lowercased() }
        }
    }

    /// Nil where a CR or LF stands alone or the last line has no end.
    private static func lines(_ bytes: [UInt8]) -> [[UInt8]]? {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == 10 { return nil }
            if bytes[at] == 13 {
                guard at + 1 < bytes.count, bytes[at + 1] == 10 else { return nil }
                lines.append(line)
                line = []
                at += 2
            } else {
                line.append(bytes[at])
                at += 1
            }
        }
        return line.isEmpty ? lines : nil
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        while let first = rest.first, first == 32 || first == 9 { rest = rest.dropFirst() }
        while let last = rest.last, last == 32 || last == 9 { rest = rest.dropLast() }
        return Array(rest)
    }
}

/// Names that must not pass, as the design lists them; `_` is written `-`.
package enum SlowNames {
    package static let hop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "http2-settings",
    ]
    package static let notForUpstream = hop.union([
        "host", "content-length", "content-type", "content-encoding", "expect", "authorization", "proxy-authorization",
        "api-key", "x-date", "date", "content-sha512", "request-line", "traceparent",
    ])
    package static let notForCaller = hop.union([
        "content-length", "proxy-authenticate", "proxy-authentication-info",
    ])
    package static let notInTrailer = notForUpstream.subtracting(["traceparent"]).union(notForCaller).union([
        "idempotency-key", "www-authenticate", "retry-after", "proxy-status",
    ])
}
