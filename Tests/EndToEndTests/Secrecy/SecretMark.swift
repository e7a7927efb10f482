// Marked values and the forms in which they could get out: as they are, URL-encoded, in base64 at any alignment, in
// hexadecimal digits.
// Relies on marks that nothing else would write. Refuses nothing: what is found is the test's to judge.

import Foundation

/// A value that must not get out.
enum SecretMark: String, CaseIterable {
    case account = "4929123456781234"
    case ssn = "219-45-8763"
    case apiKeyOfBody = "MARKED API+KEY/OF-BODY-5d1f"
    case secretOfBody = "MARKED SECRET+OF-BODY-61ab"
    case wrongToken = "MARKED-WRONG-TOKEN-0b9e4431"
    case tokenOfAnswer = "MARKED TOKEN/OF-ANSWER-c8a1"
    case token = "MARKED-BEARER-TOKEN-27de9911"
    case secret = "MARKED-HMAC-SECRET-93c4"
    case apiKey = "demo-api-key"
    case storeKey = "MARKED-STORE-KEY-of-32-bytes-at-least"

    /// The value with everything escaped that a query may not have.
    var escaped: String { rawValue.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }

    /// Everything to look for.
    var forms: [Data] {
        let plain = Data(rawValue.utf8)
        let digits = plain.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        var texts = [rawValue, escaped, escaped.lowercased(), rawValue.replacing(" ", with: "+")]
        texts += [rawValue.replacing(" ", with: "%20"), rawValue.filter { $0 != "-" }]
        for digits in [digits, digits.map { $0.uppercased() }] {
            texts += [digits.joined(), digits.map { "%" + $0 }.joined()]
        }
        // Any alignment of base64 has one of three forms, without its ends; short ones could be there by chance.
        for shift in 0..<3 {
            let whole = (Data(count: shift) + plain).base64EncodedString()
            let safe = whole.replacing("+", with: "-").replacing("/", with: "_")
            texts += [whole, safe].map { String($0.dropFirst(4).dropLast(4)) }.filter { $0.utf8.count >= 8 }
        }
        let whole = plain.base64EncodedString()
        texts += [whole, whole.filter { $0 != "=" }]
        return Set(texts).map { Data($0.utf8) }
    }

    /// Which marks are in `bytes`, each with the form.
    static func found(in bytes: Data) -> [String] {
        allCases.flatMap { mark in
            mark.forms.filter { bytes.range(of: $0) != nil }.map { "\(mark) as \(String(decoding: $0, as: UTF8.self))" }
        }
    }
}
