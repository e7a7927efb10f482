// Which usual mistake gives the signature that was sent: every combination of them is tried, the plainest first.
// Relies on one HMAC per try, a few thousand in all, offline. Refuses nothing: where no mistake explains a
// signature the answer is nil.

internal import HTTP

/// A way in which a signer may have gone, and what is wrong with it: nil or nothing for the right one.
private struct Way<Value, Mistake> {
    var value: Value
    var mistake: Mistake
}

/// How the lines of the string to sign are put together.
private enum Layout: CaseIterable {
    case right, finalLineFeed, carriageReturns, noSpace, namesAsSent, valuesOnly, namesOnly, finalCarriageReturn

    var mistake: String? {
        switch self {
        case .right: nil
        case .finalLineFeed: "the string to sign ends with a newline; the last line has none"
        case .carriageReturns: "the lines of the string to sign are joined by CRLF; they are joined by LF"
        case .noSpace: "the lines of the string to sign lack the space behind the colon"
        case .namesAsSent:
            "the names in the string to sign are spelled as in the headers; they are spelled as in the list"
        case .valuesOnly: "the string to sign holds the values without their names"
        case .namesOnly: "the string to sign holds the names without their values"
        case .finalCarriageReturn: "the string to sign ends with CRLF; the last line has none"
        }
    }
}

/// The search over one request and one credential.
struct SignatureSearch {
    let request: CapturedRequest
    /// Names as in the list that was sent.
    let names: [String]
    let credential: CredentialSettings
    /// Paths of the configured upstreams, for requests signed with or without them.
    let basePaths: [String]

    /// The mistakes that together give one of `signatures` (Base64 texts): none where the signature is right; nil where
    /// nothing explains it.
    func explain(_ signatures: [[UInt8]]) -> [String]? {
        var best: [String]?
        let strings = strings()
        for key in keys() {
            for algorithm in algorithms() {
                var authenticator = MessageAuthenticator(key: key.value.bytes, algorithm.value)
                for string in strings {
                    let mistakes = [key.mistake, algorithm.mistake].compactMap { $0 } + string.mistake
                    if let best, best.count <= mistakes.count { continue }
                    authenticator.authenticate(string.value.span)
                    var code = ByteBuffer(capacity: 88)
                    Base64.append(authenticator.code, to: &code)
                    if signatures.contains(code.copied()) { best = mistakes }
                    if best?.isEmpty == true { return best }
                }
            }
        }
        return best
    }

    private func algorithms() -> [Way<SigningAlgorithm, String?>] {
        let other: SigningAlgorithm = credential.algorithm == .hmacSHA512 ? .hmacSHA256 : .hmacSHA512
        return [
            Way(value: credential.algorithm, mistake: nil),
            Way(
                value: other,
                mistake: "the signature is made with \(other.name), the credential's is \(credential.algorithm.name)"),
        ]
    }

    /// Keys as a signer may have read the secret. The copies in arrays live as long as an offline command does.
    private func keys() -> [Way<SecretBytes, String?>] {
        var plain: [UInt8] = []
        let bytes = credential.secret.bytes
        for index in bytes.indices { plain.append(bytes[index]) }
        var ways = [Way<SecretBytes, String?>(value: credential.secret, mistake: nil)]
        func add(_ bytes: [UInt8]?, _ mistake: String) {
            guard let bytes, !bytes.isEmpty else { return }
            ways.append(Way(value: SecretBytes(copying: bytes.span), mistake: mistake))
        }
        if let next = credential.nextSecret { ways.append(Way(value: next, mistake: "it is signed with next_secret")) }
        add(plain + [10], "the signer's secret ends with a newline that does not belong to it")
        add(plain + [13, 10], "the signer's secret ends with CRLF that does not belong to it")
        add(plain.trimmed() == plain ? nil : plain.trimmed(), "the signer's secret lacks the spaces at its ends")
        add(Base64.decode(plain.span), "the signer decodes the secret from Base64; its text is the key")
        add(plain.hexDecoded(), "the signer decodes the secret from hexadecimal; its text is the key")
        return ways
    }

    /// Every string that a signer with usual mistakes may have signed, the right one first.
    private func strings() -> [Way<[UInt8], [String]>] {
        var strings: [Way<[UInt8], [String]>] = []
        for list in lists() {
            for line in requestLines() {
                for values in valueSets() {
                    for layout in Layout.allCases {
                        let mistakes = [list.mistake, line.mistake, values.mistake, layout.mistake].compactMap { $0 }
                        if mistakes.count > 2 { continue }
                        let string = write(list.value, line.value, values.value, layout)
                        strings.append(Way(value: string, mistake: mistakes))
                    }
                }
            }
        }
        return strings.sorted { $0.mistake.count < $1.mistake.count }
    }

    private func write(_ names: [String], _ line: [UInt8], _ changed: [String: [UInt8]], _ layout: Layout) -> [UInt8] {
        var string: [UInt8] = []
        for (index, name) in names.enumerated() {
            if index > 0 { string += layout == .carriageReturns ? [13, 10] : [10] }
            if name == "request-line" {
                string += layout == .namesOnly ? Array(name.utf8) : line
                continue
            }
            let field = request.fields.first { $0.name.lowercased() == Array(name.utf8) }
            let value = changed[name] ?? field?.value
            switch layout {
            case .namesOnly: string += Array(name.utf8)
            case .valuesOnly: string += value ?? []
            case .namesAsSent: string += (field?.name ?? Array(name.utf8)) + Array(": ".utf8) + (value ?? [])
            case .noSpace: string += Array(name.utf8) + Array(":".utf8) + (value ?? [])
            case .right, .finalLineFeed, .finalCarriageReturn, .carriageReturns:
                string += Array(name.utf8) + Array((value == nil ? ":" : ": ").utf8) + (value ?? [])
            }
        }
        if layout == .finalLineFeed { string += [10] }
        if layout == .finalCarriageReturn { string += [13, 10] }
        return string
    }

    private func lists() -> [Way<[String], String?>] {
        var ways = [Way<[String], String?>(value: names, mistake: nil)]
        func add(_ list: [String], _ mistake: String) {
            if !ways.contains(where: { $0.value == list }) { ways.append(Way(value: list, mistake: mistake)) }
        }
        let configured = credential.signedHeaders.text.split(separator: " ").map(String.init)
        let other = ["request-line", "x-date", "content-type", "content-length", "content-sha512"]
        add(
            configured,
            "it is signed in the order \(configured.joined(separator: " ")), which is not the list it carries")
        for list in [SignedHeaders.standard.text.split(separator: " ").map(String.init), other] {
            add(list, "it is signed in the order \(list.joined(separator: " ")), which is not the list it carries")
        }
        add(names.sorted(), "it is signed in the order of the alphabet, which is not the list it carries")
        add(names.filter { $0 != "request-line" }, "the request line is in the list but not in what is signed")
        let swapped = names.map { $0 == "x-date" ? "date" : $0 == "date" ? "x-date" : $0 }
        add(swapped, "the date is signed under the other name (date for x-date or the reverse)")
        return ways
    }

    /// The request line as recorded, and as a signer may have seen it.
    private func requestLines() -> [Way<[UInt8], String?>] {
        var ways = [Way<[UInt8], String?>(value: request.requestLine, mistake: nil)]
        let parts = request.requestLine.split(separator: UInt8(ascii: " ")).map(Array.init)
        guard parts.count == 3 else { return ways }
        func add(_ method: [UInt8], _ target: [UInt8]?, _ version: [UInt8]?, _ mistake: String) {
            guard let target else { return }
            let end = version.map { [32] + $0 } ?? []
            ways.append(Way(value: method + [32] + target + end, mistake: mistake))
        }
        for version in ["HTTP/1.1", "HTTP/2.0", "HTTP/2", "HTTP/1.0"] where parts[2] != Array(version.utf8) {
            let sent = String(decoding: parts[2], as: UTF8.self)
            add(
                parts[0], parts[1], Array(version.utf8),
                "the request line is signed with \(version) and sent with \(sent)")
        }
        add(parts[0], parts[1], nil, "the request line is signed without its version")
        add(parts[0].lowercased(), parts[1], parts[2], "the request line is signed with the method in lower case")
        add(parts[0], parts[1].percentDecoded(), parts[2], "the request line is signed with a decoded path")
        let path = parts[1].prefix { $0 != UInt8(ascii: "?") }
        if path.count < parts[1].count {
            add(parts[0], Array(path), parts[2], "the request line is signed without the query")
        }
        for base in basePaths where !base.isEmpty {
            let prefix = Array(base.utf8)
            if parts[1].starts(with: prefix) {
                let rest = Array(parts[1].dropFirst(prefix.count))
                add(parts[0], rest.isEmpty ? [47] : rest, parts[2], "the request line is signed without \(base)")
            } else {
                add(
                    parts[0], prefix + parts[1], parts[2], "the request line is signed with \(base) and sent without it"
                )
            }
        }
        return ways
    }

    /// Values that differ from the recorded ones: what a hop on the way may have changed after the signature.
    private func valueSets() -> [Way<[String: [UInt8]], String?>] {
        var ways = [Way<[String: [UInt8]], String?>(value: [:], mistake: nil)]
        func add(_ values: [String: [UInt8]], _ mistake: String) { ways.append(Way(value: values, mistake: mistake)) }
        let length = Array(String(request.body.count).utf8)
        let digest = BodyDigests.right(request.body)
        if request.values("content-sha512").first != digest {
            add(
                ["content-sha512": digest],
                "the signature is right for the body's digest; Content-sha512 is not that digest")
        }
        if request.values("content-length").first != length {
            add(
                ["content-length": length],
                "the signature is right for the body's length; Content-Length is not that length")
        }
        for (name, digest) in BodyDigests.mistaken(request.body, key: credential.secret) {
            add(["content-sha512": digest], "the signature covers another digest than the header: \(name)")
        }
        for type in ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"] {
            if request.values("content-type").first == Array(type.utf8) { continue }
            add(["content-type": Array(type.utf8)], "the signature covers the type \(type), which is not the one sent")
        }
        return ways
    }
}

/// The digests that a signer may have put into `Content-sha512`.
enum BodyDigests {
    /// Base64 of the raw SHA-512.
    static func right(_ body: [UInt8]) -> [UInt8] { Base64.encode(raw(body)) }

    /// Digests of usual mistakes, as header values, and what the mistake is.
    static func mistaken(_ body: [UInt8], key: SecretBytes) -> [(String, [UInt8])] {
        let digest = raw(body)
        var all = [
            ("it is the hexadecimal digest in Base64; the raw 64 bytes are wanted", Base64.encode(digest.hexEncoded())),
            ("it is in hexadecimal; Base64 is wanted", digest.hexEncoded()),
            ("it is the digest of the body with a newline added", right(body + [10])),
            ("it is the digest of the body with CRLF added", right(body + [13, 10])),
            ("it is the digest of an empty body", right([])),
            ("it is a SHA-256, not a SHA-512", Base64.encode(raw(body, .sha256))),
            ("it is an HMAC of the body; a plain digest is wanted", Base64.encode(mac(body, key, .hmacSHA512))),
            ("it is an HMAC of the body; a plain digest is wanted", Base64.encode(mac(body, key, .hmacSHA256))),
        ]
        if body.last == 10 {
            all.append(("it is the digest of the body without its last newline", right(body.dropLast(1).map { $0 })))
            let withoutLine = body.dropLast(body.dropLast().last == 13 ? 2 : 1)
            all.append(("it is the digest of the body without its last CRLF", right(Array(withoutLine))))
        }
        return body.isEmpty ? all.filter { $0.0 != "it is the digest of an empty body" } : all
    }

    private static func raw(_ body: [UInt8], _ algorithm: HashAlgorithm = .sha512) -> [UInt8] {
        var context = HashContext(algorithm)
        context.update(body.span)
        var output = [UInt8](repeating: 0, count: algorithm.digestLength)
        var room = output.mutableSpan
        context.finish(into: &room)
        return output
    }

    private static func mac(_ body: [UInt8], _ key: SecretBytes, _ algorithm: SigningAlgorithm) -> [UInt8] {
        var authenticator = MessageAuthenticator(key: key.bytes, algorithm)
        authenticator.authenticate(body.span)
        let code = authenticator.code
        return code.indices.map { code[$0] }
    }
}
