// An upstream on plain TCP that does what a test says, on a thread per connection, and keeps what it received.
// Relies on Wire and MessageReader. Refuses nothing: misbehaving is its purpose.

import Foundation

/// Lets one thread wait for another.
package final class Gate: @unchecked Sendable {
    // @unchecked Sendable: every access is under the condition.
    private let condition = NSCondition()
    private var count = 0

    package init() {}

    /// Lets one waiter through, now or later.
    package func open() {
        condition.lock()
        count += 1
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for an `open`; false where the time was over.
    @discardableResult
    package func pass(within seconds: Double = 20) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while count == 0 { guard condition.wait(until: deadline) else { return false } }
        count -= 1
        return true
    }
}

/// One connection to the fake upstream, for the script.
package final class Conversation {
    package let wire: Wire
    package let reader: MessageReader
    /// Counted from 0, in the order of arrival.
    package let number: Int
    private let keep: (Message) -> Void

    init(_ wire: Wire, _ number: Int, _ keep: @escaping (Message) -> Void) {
        self.wire = wire
        self.number = number
        self.keep = keep
        reader = MessageReader(wire, within: 60_000)
    }

    /// Reads one whole request and keeps it; nil where the connection ends first.
    package func request() -> Message? {
        guard let message = try? reader.request() else { return nil }
        keep(message)
        return message
    }

    /// Sends bytes; a peer that is gone is no failure of the script.
    package func send(_ text: String) { try? wire.send(Array(text.utf8)) }
    package func send(_ bytes: [UInt8]) { try? wire.send(bytes) }

    /// Answers in the plainest way.
    package func answer(_ body: String = "{\"ok\":true}", status: String = "200 OK", headers: String = "") {
        send(
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
                + headers + "\r\n" + body)
    }
}

/// The fake upstream.
package final class FakeUpstream: @unchecked Sendable {
    // @unchecked Sendable: what changes is under `changed`.
    package struct Received: Sendable {
        package let connection: Int
        package let message: Message
    }

    private let listener: WireListener
    private let changed = NSCondition()
    private var kept: [Received] = []
    private var accepted = 0
    private var finished = 0

    package var port: UInt16 { listener.port }

    /// Runs `script` for each connection, on a thread of its own; the connection closes when the script returns.
    /// `receiveBuffer` (bytes) makes an upstream whose kernel takes little before the script reads.
    package init(
        _ address: WireAddress = .ipv4(0), receiveBuffer: Int32 = 0,
        script: @escaping @Sendable (Conversation) -> Void = FakeUpstream.plain
    ) throws {
        listener = try WireListener(address, receiveBuffer: receiveBuffer)
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while let wire = listener.accept() {
                guard let upstream = self else { return }
                let number = upstream.change {
                    upstream.accepted += 1; return upstream.accepted - 1
                }
                Thread.detachNewThread { upstream.converse(wire, number, script) }
            }
        }
    }

    deinit { listener.stop() }

    /// Answers every request with `{"ok":true}`.
    package static let plain: @Sendable (Conversation) -> Void = { conversation in
        while conversation.request() != nil { conversation.answer() }
    }

    private func converse(_ wire: Wire, _ number: Int, _ script: (Conversation) -> Void) {
        let conversation = Conversation(wire, number) { [self] message in
            change { kept.append(Received(connection: number, message: message)) }
        }
        script(conversation)
        wire.close()
        change { finished += 1 }
    }

    private func change<T>(_ body: () -> T) -> T {
        changed.lock()
        defer {
            changed.broadcast()
            changed.unlock()
        }
        return body()
    }

    /// No more connections are taken.
    package func stop() { listener.stop() }

    /// Whole requests that were received, in the order in which their reading ended.
    package var requests: [Message] { change { kept.map(\.message) } }
    package var received: [Received] { change { kept } }
    /// Connections that were accepted.
    package var connections: Int { change { accepted } }

    /// Waits until so many whole requests were received: the gateway may be done with one before its reader is.
    @discardableResult
    package func waitForRequests(_ count: Int, within seconds: Double = 20) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while kept.count < count { guard changed.wait(until: deadline) else { return kept.count >= count } }
        return true
    }

    /// Waits until so many connections' scripts have ended.
    @discardableResult
    package func waitForFinished(_ count: Int, within seconds: Double = 20) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while finished < count { guard changed.wait(until: deadline) else { return finished >= count } }
        return true
    }
}
