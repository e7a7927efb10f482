// The seal: date, type, digest, length and signature are written, and from then on nothing may change.
// Relies on `Draft` for the lines so far and on `MessageAuthenticator` for the MAC. Refuses nothing while requests
// pass: what a credential must not be is refused when the configuration is read.

internal import HTTP

/// Seals requests with one credential. One per credential and worker: it is not shared between threads.
package struct Signer: ~Copyable {
    private let items: [SignedItem]
    private let signsDate: Bool
    private let signsOtherHeaders: Bool
    private var authenticator: MessageAuthenticator
    private let authorizationStart: [UInt8]
    private let apiKey: SecretBytes?
    private var scratch = ByteBuffer(capacity: 2_048)
    private let keepsString: Bool

    /// Prepares the key and everything of the headers that is the same for all requests. `keepsString`: the string to
    /// sign stays for `stringToSign`; else it is wiped, as it holds the target and headers of callers.
    package init(_ settings: CredentialSettings, keepsString: Bool = false) {
        self.keepsString = keepsString
        items = settings.signedHeaders.items
        signsDate = items.contains(.date)
        signsOtherHeaders = items.contains { if case .header = $0 { true } else { false } }
        authenticator = MessageAuthenticator(key: settings.secret.bytes, settings.algorithm)
        let start =
            "\r\nAuthorization: hmac username=\"\(settings.username)\", algorithm=\"\(settings.algorithm.name)\", "
            + "headers=\"\(settings.signedHeaders.text)\", signature=\""
        authorizationStart = Array(start.utf8)
        switch settings.apiKey?.place {
        case .header, .both: apiKey = settings.apiKey.map { SecretBytes(sharing: $0.value) }
        case .body, .pointer, nil: apiKey = nil
        }
    }

    /// Whether a header that this credential signs stands more than once in the draft. Such a request must be refused
    /// before it is sealed: a verifier reads only one of the values, and not always the same (Kong hmac-auth).
    package func repeatsSignedHeader(_ draft: borrowing Draft) -> Bool {
        guard signsOtherHeaders else { return false }
        let head = draft.head.bytes
        for item in items {
            guard case .header(let name) = item, let first = HeaderLines.find(name, in: head, from: draft.fieldsStart)
            else { continue }
            if HeaderLines.find(name, in: head, from: first.upperBound) != nil { return true }
        }
        return false
    }

    /// Adds the credential's headers (`api_key` where it is placed there, X-Date, Date where it is signed,
    /// Content-Type, Content-sha512, Content-Length), then Authorization and the empty line.
    ///
    /// `digest` and `bodyLength` are those of the bytes that will be sent behind the head. A signed header of the
    /// caller that is absent is signed as `name:`.
    package mutating func seal(
        _ draft: consuming Draft, digest: BodyDigest, bodyLength: Int, date: HTTPDate
    ) -> SealedRequest {
        let requestLine = draft.requestLine
        let host = draft.host
        let fieldsStart = draft.fieldsStart
        var head = draft.finish()
        head.reserve(512)
        if let apiKey {
            head.append("api_key: ")
            head.append(apiKey.bytes)
            head.append("\r\n")
        }
        let fieldsEnd = head.count
        head.append("X-Date: ")
        date.append(to: &head)
        if signsDate {
            head.append("\r\nDate: ")
            date.append(to: &head)
        }
        head.append("\r\nContent-Type: application/json\r\nContent-sha512: ")
        let digestStart = head.count
        Base64.append(digest.bytes, to: &head)
        let digestRange = digestStart..<head.count
        head.append("\r\nContent-Length: ")
        let lengthStart = head.count
        head.appendDecimal(bodyLength)
        let lengthRange = lengthStart..<head.count
        let parts = SignedParts(
            requestLine: requestLine, host: host, fields: fieldsStart..<fieldsEnd, digest: digestRange,
            length: lengthRange)
        scratch.clear()
        parts.write(items, of: head.bytes, date: date, to: &scratch)
        authenticator.authenticate(scratch)
        if !keepsString { scratch.wipe() }
        head.append(authorizationStart.span)
        Base64.append(authenticator.code, to: &head)
        head.append("\"\r\n\r\n")
        return SealedRequest(buffer: head, bodyLength: bodyLength)
    }

    /// The string that the last `seal` signed, for `explain`; empty where it is not kept.
    package var stringToSign: Span<UInt8> {
        @_lifetime(borrow self)
        get { scratch.bytes }
    }

    /// The Base64 signature of any string under this credential, for `verify`.
    package mutating func signature(of string: Span<UInt8>) -> [UInt8] {
        authenticator.authenticate(string)
        var text = ByteBuffer(capacity: 88)
        Base64.append(authenticator.code, to: &text)
        return text.copied()
    }
}

/// Where the values that are signed stand in the head.
private struct SignedParts {
    var requestLine: Range<Int>
    var host: Range<Int>
    var fields: Range<Int>
    var digest: Range<Int>
    var length: Range<Int>

    /// Writes the string to sign: one line per item, joined by LF. Each line is written with an LF in front,
    /// and the first LF is dropped.
    func write(_ items: [SignedItem], of head: Span<UInt8>, date: HTTPDate, to string: inout ByteBuffer) {
        for item in items {
            switch item {
            case .requestLine:
                string.append(byte: UInt8(ascii: "\n"))
                string.append(head.extracting(requestLine))
            case .xDate:
                string.append("\nx-date: ")
                date.append(to: &string)
            case .date:
                string.append("\ndate: ")
                date.append(to: &string)
            case .contentType:
                string.append("\ncontent-type: application/json")
            case .contentSHA512:
                string.append("\ncontent-sha512: ")
                string.append(head.extracting(digest))
            case .contentLength:
                string.append("\ncontent-length: ")
                string.append(head.extracting(length))
            case .host:
                string.append("\nhost: ")
                string.append(head.extracting(host))
            case .header(let name):
                string.append(byte: UInt8(ascii: "\n"))
                SigningString.appendLine(
                    name, of: head.extracting(0..<fields.upperBound), from: fields.lowerBound, to: &string)
            }
        }
        string.consume(1)
    }
}
