// What the generator is asked to do, read from its arguments.
// Relies on nothing but the words. Refuses what it does not know, and every target that is not on this machine.

/// A problem of the command line; one sentence that names the option and the remedy.
package struct ArgumentProblem: Error, Equatable, Sendable {
    package let message: String
}

/// What to send, where, how fast and for how long.
package struct GeneratorSettings: Equatable, Sendable {
    package enum Place: Equatable, Sendable {
        /// A TCP port of an IPv4 loopback address.
        case tcp(host: String, port: UInt16)
        /// A Unix socket's path.
        case unix(String)
    }

    package enum Pace: Equatable, Sendable {
        /// Open loop: so many requests per second are due, 1...10000000, whether or not answers come.
        case open(rate: UInt64)
        /// Closed loop: each connection sends as soon as it has its answer.
        case closed
    }

    package var place = Place.tcp(host: "127.0.0.1", port: 80)
    package var path = "/"
    package var pace = Pace.closed
    /// 1...10000.
    package var connections = 16
    /// Measured time in seconds, 1...86400, after the warm-up.
    package var seconds: UInt64 = 5
    /// Seconds of load before the measurement, 0...3600.
    package var warmUp: UInt64 = 1
    /// Bytes of each body, `RequestTemplate.smallestBody`...64 MiB.
    package var bodyBytes = 215
    /// What idempotency keys begin with; empty for none. With keys, each request has a number of its own.
    package var keys = ""

    package static let help = """
        load-generator --target http://127.0.0.1:PORT/PATH | unix:/SOCKET (--rate N | --closed) [options]

        Sends POST requests over HTTP/1.1 keep-alive connections and prints one line of JSON. With --rate the load is
        open: requests are due at a fixed rate, and latency counts from the due time, also for those that had to wait
        for a free connection. With --closed each connection sends when it has its answer.

          --path /PATH       the request's path for a unix: target (default /)
          --rate N           requests per second, 1 to 10000000
          --closed           closed loop
          --connections N    1 to 10000 (default 16)
          --seconds N        measured time, 1 to 86400 (default 5)
          --warm-up N        seconds before it, 0 to 3600 (default 1)
          --body-bytes N     \(RequestTemplate.smallestBody) to 67108864 (default 215)
          --keys PREFIX      an Idempotency-Key of its own in each request, and the number in its body
        """

    package init() {}

    /// From the words behind the command's name.
    package init(_ words: [String]) throws(ArgumentProblem) {
        self.init()
        var rest = words[...]
        var hasTarget = false
        var pace: Pace?
        while let option = rest.popFirst() {
            if option == "--closed" {
                guard pace == nil else { throw ArgumentProblem(message: "--closed and --rate: give one of them") }
                pace = .closed
                continue
            }
            guard let value = rest.popFirst() else { throw ArgumentProblem(message: "\(option): a value is missing") }
            switch option {
            case "--target":
                try setTarget(value)
                hasTarget = true
            case "--rate":
                guard pace == nil else { throw ArgumentProblem(message: "--closed and --rate: give one of them") }
                pace = .open(rate: UInt64(try Self.number(option, value, 1...10_000_000)))
            default: try set(option, value)
            }
        }
        guard hasTarget else { throw ArgumentProblem(message: "--target is missing; see --help") }
        guard let pace else { throw ArgumentProblem(message: "give --rate N or --closed") }
        self.pace = pace
    }

    private mutating func set(_ option: String, _ value: String) throws(ArgumentProblem) {
        switch option {
        case "--path":
            guard value.hasPrefix("/"), value.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
                throw ArgumentProblem(message: "--path: begin with / and use visible ASCII")
            }
            path = value
        case "--connections": connections = try Self.number(option, value, 1...10_000)
        case "--seconds": seconds = UInt64(try Self.number(option, value, 1...86_400))
        case "--warm-up": warmUp = UInt64(try Self.number(option, value, 0...3_600))
        case "--body-bytes":
            bodyBytes = try Self.number(option, value, RequestTemplate.smallestBody...64 << 20)
        case "--keys":
            guard value.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), value.utf8.count <= 64 else {
                throw ArgumentProblem(message: "--keys: at most 64 visible ASCII characters")
            }
            keys = value
        default: throw ArgumentProblem(message: "\(option) is not an option; see --help")
        }
    }

    private mutating func setTarget(_ value: String) throws(ArgumentProblem) {
        if value.hasPrefix("unix:/") {
            place = .unix(String(value.dropFirst(5)))
            return
        }
        let problem = ArgumentProblem(message: "--target: write http://127.0.0.1:PORT/PATH or unix:/SOCKET")
        guard value.hasPrefix("http://127.") else { throw problem }
        let rest = value.dropFirst(7)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let parts = rest[..<slash].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]), port > 0 else { throw problem }
        place = .tcp(host: String(parts[0]), port: port)
        if slash < rest.endIndex { try set("--path", String(rest[slash...])) }
    }

    private static func number(
        _ option: String, _ value: String, _ range: ClosedRange<Int>
    ) throws(ArgumentProblem) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw ArgumentProblem(message: "\(option): a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
