// A gateway with an admin listener, and its pages as a tool reads them.
// Relies on the gateway's log for the address, and on MetricsReader for the metrics. Refuses a page that is malformed.

import Foundation
import TestSupport

/// The gateway and its admin listener.
final class AdminUnderTest: Sendable {
    let reloadable: Reloadable
    let address: WireAddress
    var gateway: GatewayUnderTest { reloadable.gateway }

    /// The key `admin` of all gateways here.
    static let key = "admin: {bind: \"127.0.0.1:0\"}\n"

    /// `more`: further keys of the file's top level.
    convenience init(_ setup: Setup, more: String = "") throws {
        try self.init(Reloadable(setup, more: Self.key + more))
    }

    init(_ reloadable: Reloadable) throws {
        self.reloadable = reloadable
        let line = try reloadable.gateway.program.line(of: .errors) { $0.contains("\"admin listener\"") }
        struct Told: Decodable { let address: String }
        let told = try JSONDecoder().decode(Told.self, from: Data(line.utf8)).address
        if told.hasPrefix("unix:") {
            address = .unix(String(told.dropFirst(5)))
        } else {
            guard let port = told.split(separator: ":").last.flatMap({ UInt16($0) }) else {
                throw SupportFailure("no port in \(told)")
            }
            address = .ipv4(port)
        }
    }

    func caller(within milliseconds: Int = 20_000) throws -> Caller {
        try Caller(address, within: milliseconds, keeping: self)
    }

    /// One page, on a connection of its own.
    func page(_ path: String) throws -> Message {
        try caller().ask("GET \(path) HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
    }

    func metrics() throws -> MetricsReader {
        let page = try page("/metrics")
        guard page.status == 200 else { throw SupportFailure("/metrics answered \(page.status)") }
        return try MetricsReader(page.text)
    }

    /// Asks again until the metrics fit, for a bounded time: what one thread does another one hears of a moment later.
    func metrics(within seconds: Double = 20, where fits: (MetricsReader) -> Bool) throws -> MetricsReader {
        let deadline = Date(timeIntervalSinceNow: seconds)
        let pause = Gate()
        while true {
            let metrics = try metrics()
            if fits(metrics) { return metrics }
            pause.pass(within: 0.01)
            if Date() > deadline { throw SupportFailure("the metrics do not become so: \(metrics.samples)") }
        }
    }

    /// Asks for readiness until it has this status and, where one is named, only this reason; for a bounded time.
    func readiness(_ status: Int, reason: String? = nil, within seconds: Double = 20) throws -> Message {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            let page = try page("/readyz")
            if page.status == status && (reason == nil || page.texts("reasons") == [reason ?? ""]) { return page }
            if Date() > deadline { throw SupportFailure("not \(status) \(reason ?? ""): \(page.text)") }
        }
    }
}

extension Message {
    /// The texts of an array of the body's object.
    func texts(_ name: String) -> [String] { json[name] as? [String] ?? [] }
}
