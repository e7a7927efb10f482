// One connection from its first request to its end: reading, answering, and misbehaving where that was asked for.
// Relies on one thread per connection. Refuses malformed requests with an answer and the end of the connection.

/// Serves the requests of one connection in turn.
struct Conversation {
    private let sandbox: Sandbox
    private let wire: Wire
    private let number: Int
    private var reader: RequestReader

    init(sandbox: Sandbox, wire: Wire, number: Int) {
        self.sandbox = sandbox
        self.wire = wire
        self.number = number
        reader = RequestReader(wire)
    }

    /// Returns when the connection is to be closed.
    mutating func run() {
        while true {
            switch reader.head() {
            case .ended: return
            case .malformed(let status, let why): return refuse(status, why)
            case .content(let request):
                guard exchange(request) else { return }
            }
        }
    }

    private func refuse(_ status: Int, _ why: String) {
        sandbox.requestMalformed()
        send(.kong(status, why), close: true)
    }

    /// One exchange; false if the connection ends with it.
    private mutating func exchange(_ head: ReceivedRequest) -> Bool {
        if head.path.utf8.starts(with: "/_sandbox/".utf8) {
            guard let request = withBody(head) else { return false }
            send(sandbox.control(request), close: request.asksToClose)
            return !request.asksToClose
        }
        let request = sandbox.requestBegan()
        defer { sandbox.requestEnded() }
        guard let plan = sandbox.misbehaviour(for: head) else {
            sandbox.requestAnswered()
            refuse(400, "X-Sandbox-Misbehave is not known")
            return false
        }
        if plan.ending == .earlyClose {
            sandbox.requestAnswered()
            sandbox.recordUnread(head, number: request, connection: number, status: plan.status ?? 503)
            send(.kong(plan.status ?? 503, "closed early"), close: true)
            return false
        }
        guard let whole = withBody(head) else {
            sandbox.requestAnswered()
            return false
        }
        if plan.ending == .drop {
            sandbox.requestAnswered()
            sandbox.recordUnread(whole, number: request, connection: number, status: 0)
            return false
        }
        let (answer, running) = sandbox.answer(
            whole, number: request, connection: number, insteadStatus: plan.status)
        if plan.delayMilliseconds > 0 { HostSystem.wait(milliseconds: plan.delayMilliseconds) }
        if let running { sandbox.finish(running) }
        sandbox.requestAnswered()
        return deliver(answer, plan, close: whole.asksToClose)
    }

    private mutating func withBody(_ head: ReceivedRequest) -> ReceivedRequest? {
        switch reader.body(of: head) {
        case .ended: return nil
        case .malformed(let status, let why):
            refuse(status, why)
            return nil
        case .content(let body):
            var request = head
            request.body = body
            return request
        }
    }

    private func send(_ answer: SandboxAnswer, close: Bool) {
        wire.write(Self.head(answer, framing: nil, close: close) + answer.body)
    }

    // MARK: Delivery

    /// Sends the answer as well or as badly as planned; false if the connection ends.
    private mutating func deliver(_ answer: SandboxAnswer, _ plan: Misbehaviour, close: Bool) -> Bool {
        for status in plan.interim {
            let link = status == 103 ? "Link: </style.css>; rel=preload\r\n" : ""
            wire.write(Bytes("HTTP/1.1 \(status) \(SandboxAnswer.reason(status))\r\n\(link)\r\n".utf8))
        }
        let head = Self.head(answer, framing: plan.framing, close: close, oversize: plan.oversizeHead)
        let body = plan.framing == nil ? answer.body : Self.chunked(answer.body)
        switch plan.ending {
        case .closeBeforeAnswer, .drop, .earlyClose: return false
        case .reset:
            wire.resetOnClose()
            return false
        case .garbage:
            wire.write(Bytes("\u{1}\u{2}% this is not HTTP\r\n\r\n\u{0}".utf8))
            return false
        case .noAnswer:
            reader.drain()
            return false
        case .closeMidHead:
            wire.write(Bytes(head.prefix(head.count / 2)))
            return false
        case .closeMidBody:
            wire.write(head + body.prefix(body.count / 2))
            return false
        case .closeAfter:
            wire.write(head + body)
            return false
        case nil: break
        }
        if let pause = plan.slowBodyMilliseconds {
            wire.write(head)
            for start in stride(from: 0, to: body.count, by: 16) {
                HostSystem.wait(milliseconds: pause)
                guard wire.write(Bytes(body[start..<min(start + 16, body.count)])) else { return false }
            }
            return !close
        }
        return wire.write(head + body) && !close
    }

    private static func head(
        _ answer: SandboxAnswer, framing: Misbehaviour.Framing?, close: Bool, oversize: Bool = false
    ) -> Bytes {
        var text = "HTTP/1.1 \(answer.status) \(SandboxAnswer.reason(answer.status))\r\n"
        text += "Date: \(DateText.http(HostSystem.unixTime))\r\nServer: ingo-sandbox\r\n"
        text += "Content-Type: application/json\r\n"
        switch framing {
        case nil: text += "Content-Length: \(answer.body.count)\r\n"
        case .chunked: text += "Transfer-Encoding: chunked\r\n"
        case .bothFramings: text += "Content-Length: \(answer.body.count)\r\nTransfer-Encoding: chunked\r\n"
        }
        for field in answer.fields { text += "\(field.name): \(field.value)\r\n" }
        if oversize { text += "X-Filler: \(String(repeating: "x", count: 256 * 1024))\r\n" }
        if close { text += "Connection: close\r\n" }
        return Bytes((text + "\r\n").utf8)
    }

    /// In chunks of at most 100 bytes.
    private static func chunked(_ body: Bytes) -> Bytes {
        var output: Bytes = []
        for start in stride(from: 0, to: body.count, by: 100) {
            let piece = body[start..<min(start + 100, body.count)]
            output += "\(String(piece.count, radix: 16))\r\n".utf8
            output += piece
            output += "\r\n".utf8
        }
        return output + "0\r\n\r\n".utf8
    }
}
