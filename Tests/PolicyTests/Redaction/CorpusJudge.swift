// What a redacted line must keep to, said anew: rules by field names, from the products' documents, without the
// redactor's tables or code.
// Relies on Foundation's JSON reader. Refuses five digits of a marked number in a row, marked words, anything of a
// field of which nothing is to be shown, and more than four digits of an account.

import Foundation

/// A judge of pairs of a payload and its redacted line.
enum CorpusJudge {
    /// The fields of which nothing is shown.
    static let nothing: Set<String> = [
        "api_key", "customer_account_token", "third_party_token", "risk_assessment_token", "token", "cvv", "track1",
        "track2", "expiration_date", "recipient_first_name", "recipient_last_name", "recipient_business_name",
        "sender_first_name", "first_name", "last_name", "business_name", "name_personal", "name_on_card",
        "client_provided_value", "mobus_customer_id", "authorized_url", "session_identifier", "ssn", "ssn_last_4",
        "date_of_birth", "ein", "business_rep_dob", "business_rep_first_name", "business_rep_ssn", "fingerprint",
    ]
    /// The fields of which the last four digits are shown.
    static let lastFour: Set<String> = [
        "account", "sender_account", "account_number", "account_number_last_4", "last_4", "last_four",
    ]
    /// The fields of which type and length are shown.
    static let typeAndLength: Set<String> = [
        "routing_number", "recipient_address1", "recipient_address2", "recipient_city", "recipient_state",
        "recipient_zip", "recipient_phone", "sender_phone", "sender_email", "email", "contact_email", "contact_phone",
        "customer_id", "phone_number", "address_line_1", "ownership_percent", "x", "y", "value", "key", "title",
        "detail",
    ]
    /// Numbers and words of the corpus.
    private static let numbers = [
        "8001234567", "4111111111111111", "123456789", "5558675309", "067855512", "19670805", "678551234",
    ]
    private static let words = ["zebulon", "5f6c8d"]

    /// What is wrong with the redacted form of `payload`; empty where nothing is.
    static func faults(of shown: String, for payload: String) -> [String] {
        guard let line = parse(shown) else { return ["no JSON"] }
        var faults = leakedDigits(shown)
        faults += words.filter { shown.lowercased().contains($0) }.map { "the word \($0)" }
        // Foundation's reader overlooks a comma at the end.
        guard !payload.hasSuffix(",}"), let body = parse(payload) else {
            let members = line as? [String: Any] ?? [:]
            let isTold = members.count == 2 && members["length"] as? Int == payload.utf8.count
            return faults + (isTold && members["type"] is String ? [] : ["more than type and length of no JSON"])
        }
        compare(body, line, &faults)
        return faults
    }

    /// Names of fields in a payload, at any depth and within strings.
    static func names(in payload: String) -> Set<String> {
        func names(_ value: Any) -> Set<String> {
            switch value {
            case let object as [String: Any]:
                object.reduce(into: []) { $0.formUnion(names($1.value).union([$1.key.lowercased()])) }
            case let list as [Any]: list.reduce(into: []) { $0.formUnion(names($1)) }
            case let text as String: container(in: text).map(names) ?? []
            default: []
            }
        }
        return parse(payload).map(names) ?? []
    }

    private static func parse(_ text: String) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    /// The array or object that a string holds.
    private static func container(in text: String) -> Any? {
        parse(text).flatMap { $0 is [Any] || $0 is [String: Any] ? $0 : nil }
    }

    private static func leakedDigits(_ shown: String) -> [String] {
        var runs: [String] = []
        var run = ""
        for byte in shown.utf8 {
            if (0x30...0x39).contains(byte) {
                run.unicodeScalars.append(Unicode.Scalar(byte))
            } else if !" -./:".utf8.contains(byte) {
                runs.append(run)
                run = ""
            }
        }
        return (runs + [run]).flatMap { run in
            let digits = Array(run)
            return digits.indices.dropLast(4).map { String(digits[$0..<$0 + 5]) }
        }.filter { piece in numbers.contains { $0.contains(piece) } }.map { "the digits \($0)" }
    }

    /// Walks both texts side by side.
    private static func compare(_ body: Any, _ line: Any, _ faults: inout [String]) {
        switch body {
        case let object as [String: Any]:
            guard let shown = line as? [String: Any] else {
                faults.append("an object became \(line)")
                return
            }
            for (name, value) in object { compareMember(name.lowercased(), value, shown, &faults) }
        case let list as [Any]:
            guard let shown = line as? [Any], shown.count == list.count else {
                faults.append("a list became \(line)")
                return
            }
            for (value, element) in zip(list, shown) { compare(value, element, &faults) }
        case let text as String:
            guard !(line is String), let inner = container(in: text) else { return }
            compare(inner, line, &faults)
        default: break
        }
    }

    private static func compareMember(
        _ name: String, _ value: Any, _ shown: [String: Any], _ faults: inout [String]
    ) {
        let masked = shown[name] ?? shown["<name:\(name.utf8.count)>"]
        guard let masked else {
            faults.append("\(name) is missing")
            return
        }
        if nothing.contains(name) {
            if masked as? String != "<hidden>" { faults.append("\(name) is shown: \(masked)") }
            return
        }
        let inner = (value as? String).flatMap(container)
        let isContainer = value is [String: Any] || value is [Any] || (inner != nil && !(masked is String))
        if !isContainer && (lastFour.contains(name) || typeAndLength.contains(name)) {
            var allowed = ["<\(value is String ? "string" : "number"):\(length(value))>"]
            if lastFour.contains(name) { allowed.append("***" + "\(value)".filter(\.isNumber).suffix(4)) }
            if !allowed.contains(masked as? String ?? "") { faults.append("\(name) is shown: \(masked)") }
            return
        }
        compare(value, masked, &faults)
    }

    private static func length(_ value: Any) -> Int { "\(value)".utf8.count }
}
