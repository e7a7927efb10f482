// Reading the value of Authorization as leniently as needed to say what a strict verifier dislikes in it.
// Relies on the form `hmac username="u", algorithm="a", headers="l", signature="s"`, whose order a verifier's pattern
// fixes (Kong hmac-auth). Refuses nothing: every departure becomes a complaint, and reading goes on.

/// The parameters of an `Authorization` value, with what is wrong with their form.
struct AuthorizationHeader {
    var username: [UInt8]?
    var algorithm: [UInt8]?
    var list: [UInt8]?
    var signature: [UInt8]?
    /// What a verifier rejects, in words for the operator; no value is quoted.
    var complaints: [String] = []

    init(_ value: [UInt8]) {
        var rest = value.trimmed()[...]
        readScheme(&rest)
        var order: [String] = []
        while !rest.isEmpty {
            guard let (name, text) = parameter(&rest) else { break }
            order.append(take(name, text))
        }
        let wanted = ["username", "algorithm", "headers", "signature"]
        for name in wanted where !order.contains(name) { complaints.append("the parameter \(name) is missing") }
        if Set(order).count < order.count { complaints.append("a parameter stands twice") }
        let known = order.filter(wanted.contains)
        if known != wanted.filter(known.contains) {
            complaints.append("the parameters are not in the order username, algorithm, headers, signature")
        }
    }

    private mutating func readScheme(_ rest: inout ArraySlice<UInt8>) {
        let word = rest.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "=") }
        if rest.dropFirst(word.count).first == UInt8(ascii: "=") || word.isEmpty {
            complaints.append("the scheme word hmac is missing in front of username")
            return
        }
        rest = rest.dropFirst(word.count)
        if word.lowercased() != Array("hmac".utf8) {
            complaints.append("the scheme word is not hmac")
        } else if !word.elementsEqual("hmac".utf8) && !word.elementsEqual("Hmac".utf8) {
            complaints.append("the scheme word is spelled neither hmac nor Hmac")
        }
    }

    /// Takes `name="value"` with the comma and spaces around it; nil where there is no such thing.
    private mutating func parameter(_ rest: inout ArraySlice<UInt8>) -> (name: [UInt8], value: [UInt8])? {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\t") }
        guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else {
            if !rest.isEmpty { complaints.append("something that is not a parameter stands in the value") }
            return nil
        }
        let name = rest[..<equals].trimmed()
        rest = rest[(equals + 1)...]
        guard rest.first == UInt8(ascii: "\"") else {
            complaints.append("the value of a parameter is not in quotes")
            let value = rest.prefix { $0 != UInt8(ascii: ",") }
            rest = rest.dropFirst(value.count)
            return (name, value.trimmed())
        }
        rest = rest.dropFirst()
        let value = rest.prefix { $0 != UInt8(ascii: "\"") }
        rest = rest.dropFirst(value.count)
        if rest.isEmpty { complaints.append("a quote is not closed") } else { rest = rest.dropFirst() }
        if let next = rest.first, next != UInt8(ascii: ",") {
            complaints.append("a comma is missing between parameters")
        }
        return (name, Array(value))
    }

    /// Keeps a parameter and gives its proper name.
    private mutating func take(_ name: [UInt8], _ value: [UInt8]) -> String {
        let text = String(decoding: name, as: UTF8.self)
        switch text.lowercased() {
        case "username": username = value
        case "algorithm": algorithm = value
        case "headers", "signature":
            if text.lowercased() == "headers" { list = value } else { signature = value }
        case "request_headers", "request-headers", "signed_headers", "signedheaders", "signed-headers":
            complaints.append("the list is called \(text); its name is headers")
            list = value
            return "headers"
        default:
            complaints.append("there is a parameter that no verifier knows")
            return text
        }
        if text != text.lowercased() { complaints.append("the parameter \(text) is not in lower case") }
        return text.lowercased()
    }
}
