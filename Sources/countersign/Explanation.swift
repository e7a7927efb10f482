// A sealed call in words: for people, for a shell, and as JSON.
// Relies on the sealed head, which it only reads. Refuses to show the value of api_key anywhere.

internal import HTTP
internal import Policy
internal import Signing

/// What would be sent for a call.
struct Explanation {
    private let requestLine: String
    /// Name and value as sent, API keys masked.
    private let fields: [(name: String, value: String)]
    private let stringToSign: String
    private let url: String
    private let method: String
    private let body: ExplainedBody
    private let bodyFile: String?

    init(_ call: Call, _ method: Method, _ body: ExplainedBody, _ date: HTTPDate, bodyFile: String?) {
        var signer = Signer(call.credential, keepsString: true)
        let draft = Draft(
            head: ByteBuffer(capacity: 2_048), method: method, authority: Array(call.upstream.authority.utf8),
            basePath: Array(call.upstream.basePath.utf8), target: Array(call.target.utf8).span)
        let digest = BodyDigest(of: body.sent.span)
        let sealed = signer.seal(draft, digest: digest, bodyLength: body.sent.count, date: date)
        let lines = Self.lines(array(sealed.head), "\r\n")
        requestLine = lines.first ?? ""
        fields = lines.dropFirst().filter { !$0.isEmpty }.map { Self.field($0) }
        stringToSign = Self.lines(array(signer.stringToSign), "\n").map(Self.masked).joined(separator: "\n")
        self.method = "\(method.name)"
        let path = requestLine.split(separator: " ").dropFirst().first ?? ""
        url = "\(call.upstream.isTLS ? "https" : "http")://\(call.upstream.authority)\(path)"
        self.body = body
        self.bodyFile = bodyFile
    }

    private static func lines(_ bytes: [UInt8], _ end: String) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: end, omittingEmptySubsequences: false).map(String.init)
    }

    private static func field(_ line: String) -> (name: String, value: String) {
        let parts = line.split(separator: ": ", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        return (name, name.lowercased() == "api_key" ? "***" : parts.count > 1 ? String(parts[1]) : "")
    }

    private static func masked(_ line: String) -> String { line.hasPrefix("api_key: ") ? "api_key: ***" : line }

    private func value(_ name: String) -> String { fields.first { $0.name == name }?.value ?? "" }

    /// For people.
    func text(showsBody: Bool) -> String {
        var text = "String to sign (lines joined by LF, none at the end):\n"
        text += stringToSign.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(
            separator: "\n")
        text += "\n\nBody: \(body.sent.count) bytes"
        if !body.edited.isEmpty { text += ", with \(body.edited.joined(separator: ", ")) from the credential" }
        text += "\nSHA-512 in Base64: \(value("Content-sha512"))\n"
        text += "\nRequest as sent, after the caller's own headers:\n  \(requestLine)\n"
        text += fields.map { "  \($0.name): \($0.value)\n" }.joined()
        if showsBody { text += "\nBody as sent, API keys masked:\n\(String(decoding: body.shown, as: UTF8.self))\n" }
        text += "\nThe same with curl\(curlRemark):\n  \(curl)"
        return text
    }

    /// One object on one line.
    func json(showsBody: Bool) -> String {
        let headers = fields.map { "[\(quoted($0.name)),\(quoted($0.value))]" }.joined(separator: ",")
        var members = [
            "\"request_line\":\(quoted(requestLine))", "\"headers\":[\(headers)]",
            "\"string_to_sign\":\(quoted(stringToSign))",
            "\"content_sha512\":\(quoted(value("Content-sha512")))",
            "\"body_length\":\(body.sent.count)",
            "\"edited\":[\(body.edited.map(quoted).joined(separator: ","))]", "\"curl\":\(quoted(curl))",
        ]
        if showsBody { members.append("\"body\":\(quoted(String(decoding: body.shown, as: UTF8.self)))") }
        return "{" + members.joined(separator: ",") + "}"
    }

    private var curlRemark: String {
        var remarks: [String] = []
        if fields.contains(where: { $0.name == "api_key" }) { remarks.append("the API key in place of ***") }
        if !body.edited.isEmpty { remarks.append("the body with its added fields in body.json") }
        return remarks.isEmpty ? "" : ", with " + remarks.joined(separator: " and ")
    }

    /// A shell line that sends the same bytes. curl writes Host and Content-Length of itself where they are the same.
    private var curl: String {
        var words = ["curl", "--http1.1", "--path-as-is", "-X", method, Self.shellQuoted(url)]
        for field in fields where field.name != "Host" && (field.name != "Content-Length" || body.sent.isEmpty) {
            words += ["-H", Self.shellQuoted("\(field.name): \(field.value)")]
        }
        if !body.sent.isEmpty {
            let file = body.edited.isEmpty ? bodyFile ?? "-" : "body.json"
            words += ["--data-binary", Self.shellQuoted("@" + file)]
        }
        return words.joined(separator: " ")
    }

    private static func shellQuoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}

/// The text as a JSON string, quotes included.
func quoted(_ text: String) -> String {
    // A String is UTF-8, so there always is a JSON string for it.
    String(decoding: jsonString(from: Array(text.utf8).span) ?? [], as: UTF8.self)
}
