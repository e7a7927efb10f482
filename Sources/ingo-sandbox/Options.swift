// The command line. Relies on nothing. Refuses options it does not know and values out of range, by name.

/// What the command line asks for.
struct Options {
    static let version = "ingo-sandbox 0.1.0"
    static let help = """
        usage: ingo-sandbox --port N --state-dir DIR [options]
               ingo-sandbox --make-test-certificates DIR

        A stateful stand-in for Ingo's Banking and IngoPay APIs that verifies every signature.

          --port N                    port to listen on; 0 takes a free one (default 0)
          --bind ADDRESS              IPv4 address (default 127.0.0.1)
          --state-dir DIR             where its certificates are kept; made at the first start
          --certificate F --key F     serve with this pair instead
          --plain                     no TLS; no folder is needed
          --credentials FILE          programs that may sign (default: one demonstration program)
          --kyc-polls N               checks until a user is verified, 0 to 1000 (default 1)
          --print full|line|none      what to print of each request (default none)
          --make-test-certificates D  write good, expired, wrong-host and unknown-ca pairs, and ca.pem
          --help, --version

        """

    var port = 0
    var bind = "127.0.0.1"
    var folder: String?
    var certificate: String?
    var key: String?
    var plain = false
    var credentials: String?
    var polls = 1
    var printing = Printing.none
    var testCertificates: String?
    var wantsHelp = false
    var wantsVersion = false

    /// A sentence for standard error.
    struct Problem: Error {
        var message: String
    }

    init(_ arguments: [String]) throws(Problem) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            switch option {
            case "--help", "-h": wantsHelp = true
            case "--version": wantsVersion = true
            case "--plain": plain = true
            default:
                guard let value = rest.popFirst() else {
                    throw Problem(message: "\(option) is not known or lacks its value")
                }
                try set(option, value)
            }
        }
        guard (certificate == nil) == (key == nil) else {
            throw Problem(message: "--certificate and --key go together")
        }
        if !plain, certificate == nil, folder == nil, testCertificates == nil, !wantsHelp, !wantsVersion {
            throw Problem(message: "--state-dir says where the certificates are kept (or use --plain)")
        }
    }

    private mutating func set(_ option: String, _ value: String) throws(Problem) {
        switch option {
        case "--port": port = try Self.number(option, value, 65_535)
        case "--kyc-polls": polls = try Self.number(option, value, 1_000)
        case "--bind": bind = value
        case "--state-dir": folder = value
        case "--certificate": certificate = value
        case "--key": key = value
        case "--credentials": credentials = value
        case "--make-test-certificates": testCertificates = value
        case "--print":
            guard let known = Printing(rawValue: value) else {
                throw Problem(message: "--print is full, line or none")
            }
            printing = known
        default: throw Problem(message: "\(option) is not known")
        }
    }

    private static func number(_ option: String, _ value: String, _ most: Int) throws(Problem) -> Int {
        guard let number = Bytes(value.utf8).decimal, number <= most else {
            throw Problem(message: "\(option) is a number from 0 to \(most)")
        }
        return number
    }
}
