// Why a message is not taken. One case per reason, the status a caller gets for it, and what to do about it.
// Relies on nothing. Quotes nothing of the message: a head holds credentials, a body account numbers.

/// The reason for which a message was refused. In a response of an upstream every one of them means 502.
package enum HTTPRefusal: UInt8, Error, CaseIterable, Sendable {
    case badStartLine, badMethod, badTarget, badTargetForm, ambiguousPath, badVersion, badStatus
    case bareLF, bareCR, obsFold, badFieldName, badFieldValue
    case noHost, twoHosts, badHost, hostDiffers
    case bothFramings, badContentLength, differingContentLengths, badTransferCoding, framingNotAllowed
    case badConnection, repeatedField
    case lineTooLong, headTooLarge, tooManyFields, bodyTooLarge
    case badChunk, badTrailer
    case unsupportedMethod, unsupportedVersion, unsupportedExpectation, upgradeRefused

    /// The status that a caller gets for a request refused so (RFC 9110 section 15, RFC 6585 section 5).
    package var status: Int {
        switch self {
        case .badStartLine, .badMethod, .badTarget, .badTargetForm, .ambiguousPath, .badVersion, .badStatus, .bareLF,
            .bareCR, .obsFold, .badFieldName, .badFieldValue, .noHost, .twoHosts, .badHost, .hostDiffers,
            .bothFramings, .badContentLength, .differingContentLengths, .badTransferCoding, .framingNotAllowed,
            .badConnection, .repeatedField, .badChunk, .badTrailer, .upgradeRefused:
            400
        case .bodyTooLarge: 413
        case .lineTooLong: 414
        case .unsupportedExpectation: 417
        case .headTooLarge, .tooManyFields: 431
        case .unsupportedMethod: 501
        case .unsupportedVersion: 505
        }
    }

    /// What is wrong and what to do about it.
    package var explanation: StaticString {
        switch self {
        case .badStartLine: "The start line cannot be read. Send method, target and HTTP/1.1 with one space between."
        case .badMethod: "The request does not begin with a method. Begin it with a method and one space."
        case .badTarget: "The target holds a byte or escape that RFC 3986 does not allow. Percent-encode it."
        case .badTargetForm: "The target is not a path. Send a target that begins with a slash."
        case .ambiguousPath:
            "The path holds a dot segment, an empty segment, or an encoded slash, backslash or control. Send it plain."
        case .badVersion: "The protocol version cannot be read. Send HTTP/1.1."
        case .badStatus:
            "The status is not a number from 100 to 599 with a space behind it, or is 101. Correct the upstream."
        case .bareLF: "A line ends with LF alone. End every line with CR LF."
        case .bareCR: "A CR stands without LF. End every line with CR LF and send no other CR."
        case .obsFold: "A field line begins with a space or tab. Send every field on one line."
        case .badFieldName:
            "A field name is empty, holds a byte that is not allowed, or has no colon right behind it. Correct it."
        case .badFieldValue: "A field value holds a byte that is not allowed. Send printable ASCII."
        case .noHost: "The Host field is missing. Send exactly one."
        case .twoHosts: "There is more than one Host field. Send exactly one."
        case .badHost: "The Host field is not a host with an optional port. Correct it."
        case .hostDiffers: "The authority of the target differs from the Host field. Send the same in both."
        case .bothFramings: "There are both Content-Length and Transfer-Encoding. Send one of them."
        case .badContentLength: "The Content-Length is not a plain number. Send digits only, without leading zeros."
        case .differingContentLengths: "There is more than one Content-Length field. Send exactly one."
        case .badTransferCoding: "The Transfer-Encoding is not exactly chunked. Send chunked alone, in one field."
        case .framingNotAllowed: "A response that has no body announces one. Correct the upstream."
        case .badConnection:
            "The Connection field is malformed, too long, or names a field that must not be dropped. Correct it."
        case .repeatedField: "A field that may occur once occurs twice. Send it once."
        case .lineTooLong: "The start line is too long. Shorten the target or raise the limit."
        case .headTooLarge: "The head is too large. Send fewer or shorter fields, or raise the limit."
        case .tooManyFields: "There are too many fields. Send fewer, or raise the limit."
        case .bodyTooLarge: "The body is larger than the limit. Send a smaller body or raise the limit."
        case .badChunk: "The chunked coding is malformed. Send hexadecimal sizes, no leading zeros, CR LF line ends."
        case .badTrailer: "The trailer section is malformed, too long, or holds a forbidden field. Leave it out."
        case .unsupportedMethod: "The method is not known. Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS."
        case .unsupportedVersion: "The protocol version is not supported. Send HTTP/1.1."
        case .unsupportedExpectation: "The expectation is not supported. Send Expect: 100-continue or none."
        case .upgradeRefused: "A change of protocol was asked for. Send neither Upgrade nor HTTP2-Settings."
        }
    }
}
