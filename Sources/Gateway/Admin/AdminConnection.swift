// One connection to the admin listener: heads are read, answered one after the other, and the connection is kept.
// Relies on HTTP's parser, which refuses what can be read in two ways. Refuses bodies, heads beyond 8 KiB, those who
// take longer than 5 s to ask or to take an answer, and more than 1,000 requests on one connection.

internal import HTTP
internal import Net

/// The bounds of the admin listener.
package enum AdminLimits {
    package static let maxConnections = 64
    /// Bytes of a request's head.
    package static let maxHead = 8_192
    /// For each of: the next head from its wait on, an answer's taking, the end after a refusal. Milliseconds.
    package static let timeoutMilliseconds: UInt64 = 5_000
    /// Requests on one connection; the last is told that it ends.
    package static let maxRequests = 1_000

    static var http: HTTPLimits {
        var limits = HTTPLimits()
        limits.maxHead = maxHead
        limits.maxLine = maxHead
        return limits
    }
}

/// The connection. The admin thread's.
final class AdminConnection {
    private enum State {
        case open
        /// The answer at hand is the last.
        case closing
        /// All is written; what still comes is thrown away, so that the answer is not lost with it.
        case lingering
    }

    let socket: Socket
    /// Monotonic milliseconds.
    private(set) var deadline: UInt64
    private var state = State.open
    private var served = 0
    private var parser = RequestHeadParser()
    private var head = RequestHead()
    private var input = ByteBuffer(capacity: AdminLimits.maxHead)
    private var output = ByteBuffer(capacity: 4_096)

    init(_ socket: consuming Socket, now: UInt64) {
        self.socket = socket
        deadline = now + AdminLimits.timeoutMilliseconds
    }

    /// Goes on until the other side has to. False where the connection is over.
    func proceed(_ pages: AdminPages, now: UInt64) -> Bool {
        while true {
            if output.count > 0 {
                switch Self.write(&output, to: socket) {
                case .bytes: continue
                case .wouldBlock: return true
                case .end, .truncated, .failed, .tlsFailed: return false
                }
            }
            if state == .closing { beginLingering(now) }
            if state == .lingering { return linger() }
            if respond(pages, now: now) { continue }
            switch Self.read(from: socket, into: &input) {
            case .bytes: continue
            case .wouldBlock: return true
            case .end, .truncated, .failed, .tlsFailed: return false
            }
        }
    }

    /// True where there is an answer to be written.
    private func respond(_ pages: AdminPages, now: UInt64) -> Bool {
        switch Self.feed(&parser, input, &head) {
        case .needMore:
            guard input.room == 0 else { return false }
            state = .closing
            AdminAnswer(.headTooLarge, "The head is too large.").write(to: &output, withBody: true, closes: true)
        case .refused(let refusal):
            state = .closing
            let status: AdminStatus = refusal.status == 431 || refusal.status == 414 ? .headTooLarge : .badRequest
            AdminAnswer(status, "This is no request that the admin listener takes.")
                .write(to: &output, withBody: true, closes: true)
        case .complete: answer(pages)
        }
        deadline = now + AdminLimits.timeoutMilliseconds
        return true
    }

    private func answer(_ pages: AdminPages) {
        served += 1
        let hasBody = head.framing != .none && head.framing != .length(0)
        if hasBody || !head.keepAlive || served == AdminLimits.maxRequests { state = .closing }
        let made: AdminAnswer
        switch head.method {
        case _ where hasBody: made = AdminAnswer(.badRequest, "No page takes a body.")
        case .get, .head: made = pages.answer(Self.path(head, input))
        case .post, .put, .patch, .delete, .options:
            made = AdminAnswer(.methodNotAllowed, "The pages are read by GET and HEAD.")
        }
        made.write(to: &output, withBody: head.method != .head, closes: state == .closing)
        input.consume(head.length)
        input.compact()
        parser.reset()
        head.reset()
    }

    private func beginLingering(_ now: UInt64) {
        socket.shutdownWriting()
        state = .lingering
        deadline = now + AdminLimits.timeoutMilliseconds
    }

    /// False once the other side has ended, too.
    private func linger() -> Bool {
        for _ in 0..<64 {
            input.clear()
            switch Self.read(from: socket, into: &input) {
            case .bytes: continue
            case .wouldBlock: return true
            case .end, .truncated, .failed, .tlsFailed: return false
            }
        }
        return false
    }

    // MARK: - Buffers by parameters

    private static func path(_ head: borrowing RequestHead, _ input: borrowing ByteBuffer) -> AdminPath? {
        AdminPath(input.bytes.slice(head.path))
    }

    private static func feed(
        _ parser: inout RequestHeadParser, _ input: borrowing ByteBuffer, _ head: inout RequestHead
    ) -> HeadProgress {
        parser.feed(input.bytes, limits: AdminLimits.http, into: &head)
    }

    private static func read(from socket: borrowing Socket, into input: inout ByteBuffer) -> IOResult {
        var room = input.free
        let result = socket.read(into: &room)
        if case .bytes(let count) = result { input.commit(count) }
        return result
    }

    private static func write(_ output: inout ByteBuffer, to socket: borrowing Socket) -> IOResult {
        let result = socket.write(output.bytes)
        guard case .bytes(let count) = result else { return result }
        output.consume(count)
        // A page of metrics may be large, and its room is not needed until the next one.
        if output.count == 0 && output.capacity > 65_536 { output = ByteBuffer(capacity: 4_096) }
        return result
    }
}
