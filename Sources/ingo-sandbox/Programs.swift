// The programs that may sign: names, secrets, keys, from a file of `key = value` lines or the built-in demonstration.
// Relies on the file being small. Refuses unknown keys, repeated keys and programs without a secret, with line numbers.

/// One program's credentials. It has no description, so that no log shows a secret.
struct Program: Sendable, CustomStringConvertible {
    var username: Bytes
    var secrets: [Bytes]
    var apiKey: Bytes
    var participantID: Bytes
    var algorithm: MACAlgorithm

    var description: String { "Program" }

    /// For demonstrations and tests; the values are printed in the documentation and protect nothing.
    static let demonstration = Program(
        username: Bytes("demo".utf8), secrets: [Bytes("demo-secret-not-for-production".utf8)],
        apiKey: Bytes("demo-api-key".utf8), participantID: Bytes("12345".utf8), algorithm: .hmacSHA512)

    /// Why a credentials file is refused; never holds a value.
    struct Problem: Error {
        var line: Int
        var message: String
    }

    /// Reads the file: each `username` begins a program.
    static func parse(_ file: Bytes) throws(Problem) -> [Program] {
        var programs: [Program] = []
        var seen: Set<String> = []
        var last = 0
        for (index, raw) in file.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let line = Bytes(raw).trimmed
            last = index + 1
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
                throw Problem(line: last, message: "expected `key = value`")
            }
            let key = Bytes(line[..<equals]).trimmed.text
            let value = Bytes(line[(equals + 1)...]).trimmed
            guard !value.isEmpty else { throw Problem(line: last, message: "\(key) is empty") }
            if key == "username" {
                try check(programs.last, line: last)
                guard !programs.contains(where: { $0.username == value }) else {
                    throw Problem(line: last, message: "this username occurs twice")
                }
                programs.append(
                    Program(username: value, secrets: [], apiKey: [], participantID: [], algorithm: .hmacSHA512))
                seen = []
                continue
            }
            guard !programs.isEmpty else { throw Problem(line: last, message: "a program begins with username") }
            guard seen.insert(key).inserted else { throw Problem(line: last, message: "\(key) occurs twice") }
            try programs[programs.count - 1].set(key, value, line: last)
        }
        try check(programs.last, line: last)
        guard !programs.isEmpty else { throw Problem(line: last, message: "no program in the file") }
        return programs
    }

    private static func check(_ program: Program?, line: Int) throws(Problem) {
        if let program, program.secrets.isEmpty {
            throw Problem(line: line, message: "the program before this line has no secret")
        }
    }

    private mutating func set(_ key: String, _ value: Bytes, line: Int) throws(Problem) {
        switch key {
        case "secret": secrets.insert(value, at: 0)
        case "next_secret": secrets.append(value)
        case "api_key": apiKey = value
        case "participant_id":
            guard value.isDigits else { throw Problem(line: line, message: "participant_id is a number") }
            participantID = value
        case "algorithm":
            if value.spells("hmac-sha512") {
                algorithm = .hmacSHA512
            } else if value.spells("hmac-sha256") {
                algorithm = .hmacSHA256
            } else {
                throw Problem(line: line, message: "algorithm is hmac-sha512 or hmac-sha256")
            }
        default: throw Problem(line: line, message: "unknown key \(key)")
        }
    }
}
