// Does a recorded request verify, and if not, which part differs and why: what an upstream's 401 does not say.
// Relies on `SignatureSearch` for the cause of a wrong signature. Refuses nothing; offline only. No secret and no value
// of a signed header other than dates and lengths appears in its words.

internal import HTTP

/// One thing that was looked at.
package struct VerificationFinding: Equatable, Sendable {
    package enum Part: String, CaseIterable, Sendable {
        case format, authorization, username, algorithm, headers, clock, digest, length, type
        case requestLine = "request-line"
        case signature
    }
    package enum State: String, Sendable {
        case right = "ok"
        /// An upstream refuses the request for this, or may.
        case wrong
        /// Worth knowing, not the cause.
        case note
    }
    package let part: Part
    package let state: State
    package let text: String
}

/// Checks recorded requests against one credential.
package struct RequestVerifier {
    /// Seconds that the date may be off in either direction (Ingo, Authentication).
    package static let tolerance: Int64 = 300

    private let credential: CredentialSettings
    private let basePaths: [String]
    private var findings: [VerificationFinding] = []

    /// `basePaths` are those of the upstreams that the credential is used with.
    package init(_ credential: CredentialSettings, basePaths: [String]) {
        self.credential = credential
        self.basePaths = basePaths
    }

    /// Looks at everything in a recording. It verifies if nothing is `wrong`. `now` is in Unix seconds.
    package mutating func verify(_ recording: [UInt8], now: Int64) -> [VerificationFinding] {
        findings = []
        do throws(CapturedRequest.Problem) {
            let request = try CapturedRequest(recording)
            verify(request, now)
        } catch {
            switch error {
            case .noEmptyLine: add(.format, .wrong, "the head has no empty line at its end")
            case .badRequestLine: add(.format, .wrong, "the first line is not METHOD TARGET VERSION")
            case .badHeaderLine(let line): add(.format, .wrong, "line \(line) is not a header line")
            }
        }
        return findings
    }

    private mutating func add(
        _ part: VerificationFinding.Part, _ state: VerificationFinding.State, _ text: String
    ) { findings.append(VerificationFinding(part: part, state: state, text: text)) }

    private mutating func verify(_ request: CapturedRequest, _ now: Int64) {
        checkFormat(request)
        checkClock(request, now)
        checkDigest(request)
        checkLength(request)
        checkType(request)
        guard let value = authorization(request) else { return }
        let header = AuthorizationHeader(value)
        for complaint in header.complaints { add(.authorization, .wrong, complaint) }
        if header.complaints.isEmpty { add(.authorization, .right, "the value is well formed") }
        checkUser(header)
        checkAlgorithm(header)
        guard let list = header.list, let signature = header.signature else { return }
        let names = checkList(list, request)
        checkSignature(signature, names, request)
    }

    private mutating func checkFormat(_ request: CapturedRequest) {
        if request.hasBareLineEnds { add(.format, .note, "the recording's lines end with LF; read as if with CRLF") }
        for name in ["content-sha512", "content-length", "x-date", "date", "content-type", "host", "authorization"] {
            if request.values(name).count > 1 { add(.format, .wrong, "\(name) stands more than once") }
        }
        if !request.values("request-line").isEmpty {
            add(.format, .wrong, "there is a header called request-line: a verifier takes it for the request line")
        }
        if !request.values("transfer-encoding").isEmpty {
            add(.format, .wrong, "the body has a transfer coding; its length is signed and must be plain")
        }
        for field in request.fields where field.name.last == UInt8(ascii: " ") {
            add(.format, .wrong, "a header's name ends with a space")
        }
        let version = request.requestLine.suffix(8)
        if !version.elementsEqual("HTTP/1.1".utf8) {
            add(.requestLine, .note, "the version is not HTTP/1.1; the verifier signs the version that it sees")
        }
    }

    private mutating func authorization(_ request: CapturedRequest) -> [UInt8]? {
        if let value = request.values("proxy-authorization").first {
            add(.authorization, .wrong, "there is a Proxy-Authorization, which a verifier reads before Authorization")
            return request.values("authorization").first ?? value
        }
        guard let value = request.values("authorization").first else {
            add(.authorization, .wrong, "there is no Authorization header")
            return nil
        }
        return value
    }

    private mutating func checkUser(_ header: AuthorizationHeader) {
        guard let username = header.username else { return }
        let isSame = username == Array(credential.username.utf8)
        add(.username, isSame ? .right : .wrong, isSame ? "the credential's" : "it is not the credential's")
    }

    private mutating func checkAlgorithm(_ header: AuthorizationHeader) {
        guard let sent = header.algorithm.map({ String(decoding: $0, as: UTF8.self) }) else { return }
        let wanted = "\(credential.algorithm.name)"
        if sent == wanted {
            add(.algorithm, .right, wanted)
        } else if ["hmac-sha1", "hmac-md5", "sha1", "md5"].contains(sent.lowercased()) {
            add(.algorithm, .wrong, "\(sent.lowercased()) is never accepted; the credential's is \(wanted)")
        } else {
            add(.algorithm, .wrong, "it is not \(wanted), the credential's")
        }
    }

    /// Says what is wrong with the list and gives the names as they should have been read.
    private mutating func checkList(_ list: [UInt8], _ request: CapturedRequest) -> [String] {
        let text = String(decoding: list, as: UTF8.self)
        let names = text.split { $0 == " " || $0 == "," || $0 == "\t" }.map(String.init)
        let count = findings.count
        if text.contains(",") { add(.headers, .wrong, "the names are separated by commas; one space is wanted") }
        if text != text.lowercased() { add(.headers, .wrong, "the names are not in lower case") }
        if Set(names).count < names.count { add(.headers, .wrong, "a name stands twice") }
        if !names.contains("request-line") { add(.headers, .wrong, "request-line is not signed") }
        if !names.contains("content-sha512") {
            add(.headers, .wrong, "content-sha512 is not signed: the body is not protected")
        }
        if !names.contains("x-date") && !names.contains("date") { add(.headers, .wrong, "no date is signed") }
        let lower = names.map { $0.lowercased() }
        for name in lower where name != "request-line" && request.values(name).isEmpty {
            add(.headers, .wrong, "\(name) is signed but not sent")
        }
        if findings.count == count { add(.headers, .right, lower.joined(separator: " ")) }
        if lower.joined(separator: " ") != credential.signedHeaders.text {
            add(
                .headers, .note,
                "the configured list is \(credential.signedHeaders.text); a verifier follows the one sent")
        }
        return lower
    }
}

// MARK: - Parts that have nothing to do with the key

extension RequestVerifier {
    private mutating func checkClock(_ request: CapturedRequest, _ now: Int64) {
        let sent = [("X-Date", request.values("x-date").first), ("Date", request.values("date").first)]
        if sent.allSatisfy({ $0.1 == nil }) { add(.clock, .wrong, "neither X-Date nor Date is there") }
        for (name, value) in sent {
            guard let value else { continue }
            guard let seconds = HTTPDate.parse(value.span) else {
                add(.clock, .wrong, "\(name) is not a date like Fri, 17 Jan 2020 19:59:29 GMT")
                continue
            }
            let skew = seconds - now
            let words = skew == 0 ? "no second off" : "\(skew.magnitude) s \(skew > 0 ? "ahead" : "behind")"
            let isInside = skew.magnitude <= UInt64(Self.tolerance)
            add(
                .clock, isInside ? .right : .wrong,
                "\(name) is \(words)\(isInside ? "" : "; at most \(Self.tolerance) s are allowed")")
        }
    }

    private mutating func checkDigest(_ request: CapturedRequest) {
        guard let sent = request.values("content-sha512").first else {
            add(.digest, .wrong, "there is no Content-sha512 header")
            return
        }
        if sent == BodyDigests.right(request.body) {
            add(.digest, .right, "Content-sha512 is the body's")
            return
        }
        let known = BodyDigests.mistaken(request.body, key: credential.secret).first { $0.1 == sent }
        if let known {
            add(.digest, .wrong, "Content-sha512 is not the body's: \(known.0)")
        } else if let bytes = Base64.decode(sent.span) {
            let length =
                bytes.count == 64 ? "the body is not the one that was digested" : "it has \(bytes.count) bytes, not 64"
            add(.digest, .wrong, "Content-sha512 is not the body's: \(length)")
        } else {
            add(.digest, .wrong, "Content-sha512 is not Base64 on one line with padding")
        }
    }

    private mutating func checkLength(_ request: CapturedRequest) {
        let count = request.body.count
        guard let sent = request.values("content-length").first else {
            add(.length, .wrong, "there is no Content-Length header; the body has \(count) bytes")
            return
        }
        if sent == Array(String(count).utf8) {
            add(.length, .right, "\(count) bytes")
            return
        }
        var words = "Content-Length is not the body's, which has \(count) bytes"
        if sent == Array(String(count - 1).utf8), request.body.last == 10 {
            words += "; the body ends with a newline, which an editor may have added"
        }
        add(.length, .wrong, words)
    }

    private mutating func checkType(_ request: CapturedRequest) {
        let sent = request.values("content-type").first
        if sent == Array("application/json".utf8) {
            add(.type, .right, "application/json")
        } else {
            add(
                .type, .wrong,
                sent == nil ? "there is no Content-Type header" : "Content-Type is not exactly application/json")
        }
    }
}

// MARK: - The signature

extension RequestVerifier {
    private mutating func checkSignature(_ sent: [UInt8], _ names: [String], _ request: CapturedRequest) {
        let search = SignatureSearch(request: request, names: names, credential: credential, basePaths: basePaths)
        var forms = [sent]
        if let decoded = sent.percentDecoded() {
            add(.signature, .wrong, "it is URL-encoded; plain Base64 is wanted")
            forms = [decoded]
        } else if let bytes = sent.hexDecoded(), bytes.count == 64 || bytes.count == 32 {
            add(.signature, .wrong, "it is in hexadecimal; Base64 is wanted")
            forms = [Base64.encode(bytes)]
        } else if let bytes = Base64.decode(sent.span), let raw = bytes.hexDecoded() {
            add(.signature, .wrong, "it is the hexadecimal code in Base64; the raw bytes are wanted")
            forms = [Base64.encode(raw)]
        } else if Base64.decode(sent.span) == nil {
            add(.signature, .wrong, "it is not Base64 on one line with the standard alphabet and padding")
            forms = [plain(sent)]
        }
        guard let mistakes = search.explain(forms) else {
            add(.signature, .wrong, "it does not match, and no usual mistake explains it: secret or altered bytes")
            return
        }
        if mistakes.isEmpty && forms == [sent] { add(.signature, .right, "it matches") }
        for mistake in mistakes { add(.signature, .wrong, mistake) }
        if mistakes.isEmpty && forms != [sent] { add(.signature, .note, "apart from its spelling it matches") }
    }

    /// Base64 in the standard alphabet with padding, from the URL's alphabet or without padding.
    private func plain(_ text: [UInt8]) -> [UInt8] {
        var plain = text.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "=") }.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while plain.count % 4 != 0 { plain.append(UInt8(ascii: "=")) }
        return plain
    }
}
