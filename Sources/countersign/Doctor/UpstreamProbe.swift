// Looks at an upstream as the gateway would reach it: its name, a connection, TLS, and the clock that its answer shows.
// One HEAD of / without a signature is sent. Relies on Net. Refuses to wait longer than five seconds for all of it.

internal import HTTP
internal import Net
internal import Policy
internal import Signing

/// The look at one upstream.
struct UpstreamProbe: ~Copyable {
    /// How long the whole may take, in milliseconds.
    static let patience: UInt64 = 5_000
    /// Days before the end of a certificate at which the operator is warned.
    static let warnedDays = 21

    private let upstream: UpstreamSettings
    private let deadline = Clock.monotonicMilliseconds() + UpstreamProbe.patience
    private var poller: Poller
    private(set) var findings: [DoctorFinding] = []

    /// Looks, and gives what was found.
    static func look(at upstream: UpstreamSettings) -> [DoctorFinding] {
        do throws(SystemError) {
            var probe = UpstreamProbe(upstream, try Poller(maxEvents: 4))
            probe.run()
            return probe.findings
        } catch {
            return [
                .fail("upstream", upstream.name, "cannot be looked at: \(error)", "Raise the limits of the process")
            ]
        }
    }

    private init(_ upstream: UpstreamSettings, _ poller: consuming Poller) {
        self.upstream = upstream
        self.poller = poller
    }

    private mutating func run() {
        let addresses = resolve()
        guard !addresses.isEmpty, var transport = connect(addresses) else { return }
        if upstream.isTLS {
            guard let stream = secure(transport) else { return }
            transport = stream
        }
        askTheTime(transport)
    }

    private mutating func fail(_ check: String, _ text: String, _ remedy: String) {
        findings.append(.fail(check, upstream.name, text, remedy))
    }

    private mutating func ok(_ check: String, _ text: String) { findings.append(.ok(check, upstream.name, text)) }

    /// Waits for an event; false when the time is over.
    private mutating func wait() -> Bool {
        let now = Clock.monotonicMilliseconds()
        guard now < deadline else { return false }
        _ = try? poller.wait(milliseconds: Int(deadline - now))
        return Clock.monotonicMilliseconds() < deadline
    }

    // MARK: - Name

    private mutating func resolve() -> [SocketAddress] {
        if let literal = SocketAddress(literal: upstream.host, port: upstream.port) { return [literal] }
        guard let answer = ask() else {
            fail(
                "name", "\(upstream.host) was not resolved within 5 s", "Look at /etc/resolv.conf and the name servers")
            return []
        }
        switch answer.problem {
        case nil: ok("name", "\(upstream.host) has \(answer.addresses.count) addresses")
        case .notFound: fail("name", "\(upstream.host) does not exist", "Correct url, or add the name")
        case .temporary, .failed: fail("name", "the name servers do not answer", "Look at /etc/resolv.conf")
        }
        return answer.addresses
    }

    private mutating func ask() -> ResolvedAddresses? {
        guard let wakeUp = try? WakeUp(), let resolver = try? Resolver() else { return nil }
        let mailbox = Mailbox<ResolvedAddresses>(limit: 1, wakeUp: wakeUp)
        guard (try? poller.add(wakeUp, Token(slot: 0, generation: 0))) != nil else { return nil }
        _ = resolver.ask(host: upstream.host, port: upstream.port) { _ = mailbox.post($0) }
        var answers: [ResolvedAddresses] = []
        while answers.isEmpty && wait() { mailbox.drain(into: &answers) }
        return answers.first
    }

    // MARK: - Connection

    private mutating func connect(_ addresses: [SocketAddress]) -> Transport? {
        var problem = "nobody answers"
        for address in addresses {
            do throws(SystemError) {
                let socket = try Socket.connect(to: address)
                try poller.add(socket, Token(slot: 1, generation: 0))
                while wait() {
                    guard let error = socket.finishConnect() else {
                        ok("connect", "\(address)")
                        return .plain(socket)
                    }
                    throw error
                }
            } catch {
                problem = "\(address): \(error)"
            }
        }
        fail("connect", problem, "Look at url, routes and firewalls")
        return nil
    }

    // MARK: - TLS

    private mutating func secure(_ transport: consuming Transport) -> Transport? {
        guard let socket = transport.takeSocket() else { return nil }
        do throws(TLSProblem) {
            let context = try TLSClientContext(caFile: upstream.caFile, serverName: upstream.serverName)
            let stream = try TLSStream(context: context, socket: socket)
            while true {
                switch stream.handshake() {
                case .done:
                    tellOfCertificate(stream.certificateSecondsLeft())
                    return .tls(stream)
                case .wantRead, .wantWrite:
                    guard wait() else {
                        fail("tls", "the handshake took longer than 5 s", "Look at the upstream and what is in between")
                        return nil
                    }
                case .failed(let problem): throw problem
                }
            }
        } catch {
            fail("tls", "\(error.text)", "Look at ca_file, server_name, the certificate's dates and our clock")
            return nil
        }
    }

    private mutating func tellOfCertificate(_ seconds: Int?) {
        guard let seconds else { return ok("tls", "verified for \(upstream.serverName)") }
        let days = seconds / 86_400
        let text = "verified for \(upstream.serverName), its certificate ends in \(days) days"
        if days < Self.warnedDays {
            findings.append(.warn("tls", upstream.name, text, "Ask the upstream when it renews it"))
        } else {
            ok("tls", text)
        }
    }

    // MARK: - Clock

    private mutating func askTheTime(_ transport: borrowing Transport) {
        let text = "HEAD / HTTP/1.1\r\nHost: \(upstream.authority)\r\nConnection: close\r\n\r\n"
        let request = Array(text.utf8)
        guard case .bytes(request.count) = transport.write(request.span), let theirs = readDate(transport) else {
            findings.append(
                .warn(
                    "clock", upstream.name, "no answer with a date within 5 s", "Compare the clock with a time server"))
            return
        }
        let skew = Clock.realtimeSeconds() - theirs
        let said =
            skew == 0 ? "the same as the upstream's" : "\(skew.magnitude) s \(skew > 0 ? "ahead of" : "behind") it"
        let remedy = "Set the clock by a time server (chrony, systemd-timesyncd)"
        if skew.magnitude > ClockSkew.refused.magnitude {
            fail("clock", "\(said): signatures are refused", remedy)
        } else if skew.magnitude > ClockSkew.warned.magnitude {
            findings.append(.warn("clock", upstream.name, "\(said): signatures are refused at 300 s", remedy))
        } else {
            ok("clock", said)
        }
    }

    private mutating func readDate(_ transport: borrowing Transport) -> Int64? {
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        var received = ByteBuffer(capacity: 16_384)
        while received.room > 0 {
            switch read(transport, &received) {
            case .bytes: break
            case .wouldBlock:
                guard wait() else { return nil }
                continue
            case .end, .truncated, .failed, .tlsFailed: return nil
            }
            switch parser.feed(received.bytes, to: .head, limits: HTTPLimits(), into: &head) {
            case .needMore: continue
            case .refused: return nil
            case .complete: return head.value(.date).flatMap { HTTPDate.parse(received.bytes.slice($0)) }
            }
        }
        return nil
    }

    private func read(_ transport: borrowing Transport, _ received: inout ByteBuffer) -> IOResult {
        var room = received.free
        let result = transport.read(into: &room)
        if case .bytes(let count) = result { received.commit(count) }
        return result
    }
}
