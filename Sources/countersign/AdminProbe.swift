// One question to an admin listener, with a bound in time.
// Relies on Net for the socket and on HTTP for the answer's head. Refuses names: an admin listener has an address.

internal import Config
internal import HTTP
internal import Net

/// Asks.
enum AdminProbe {
    /// What came of it.
    enum Result {
        /// The status, and the body's first line where it came along.
        case answered(Int, String)
        case failed(String)
    }

    static let timeoutMilliseconds: UInt64 = 5_000
    private static let maxAnswer = 64 * 1_024

    /// `http://127.0.0.1:9901`, with a slash behind it or without, or `unix:/path`.
    static func address(_ url: String) -> ListenAddress? {
        if url.hasPrefix("unix:/") {
            return .unix(path: String(url.dropFirst(5)), mode: nil, owner: nil, group: nil)
        }
        guard url.hasPrefix("http://") else { return nil }
        var rest = url.dropFirst(7)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]), port > 0 else {
            return nil
        }
        let host = rest[..<colon] == "localhost" ? "127.0.0.1" : String(rest[..<colon])
        return SocketAddress(literal: host, port: port) == nil ? nil : .tcp(host: host, port: port)
    }

    private static func socketAddress(_ address: ListenAddress) -> SocketAddress? {
        switch address {
        case .tcp(let host, let port):
            // Bound to all addresses, it is asked on the loopback's.
            let asked = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
            return SocketAddress(literal: asked, port: port)
        case .unix(let path, _, _, _): return SocketAddress(unixPath: path)
        case .passed: return nil
        }
    }

    /// Asks for a page and reads its answer's head.
    static func ask(_ address: ListenAddress, path: StaticString) -> Result {
        guard let target = socketAddress(address) else { return .failed("the address cannot be used") }
        do throws(SystemError) {
            let socket = try Socket.connect(to: target)
            var poller = try Poller(maxEvents: 4)
            try poller.add(socket, Token(slot: 0, generation: 0))
            return try ask(path, socket, &poller)
        } catch {
            return .failed("it cannot be reached: \(error)")
        }
    }

    private static func ask(
        _ path: StaticString, _ socket: borrowing Socket, _ poller: inout Poller
    ) throws(SystemError) -> Result {
        let end = Clock.monotonicMilliseconds() + timeoutMilliseconds
        var output = ByteBuffer(capacity: 256)
        output.append("GET ")
        output.append(path)
        output.append(" HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
        var input = ByteBuffer(capacity: maxAnswer)
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        while true {
            if output.count > 0, let failure = try write(&output, to: socket) { return failure }
            if output.count == 0 {
                switch read(from: socket, into: &input) {
                case .bytes:
                    switch feed(&parser, input, &head) {
                    case .needMore: if input.room > 0 { continue } else { return .failed("its answer is too long") }
                    case .refused: return .failed("its answer is none")
                    case .complete: return .answered(head.status, firstLine(input, from: head.length))
                    }
                case .wouldBlock: break
                case .end, .truncated, .failed, .tlsFailed: return .failed("it ended the connection")
                }
            }
            let now = Clock.monotonicMilliseconds()
            guard now < end, try poller.wait(milliseconds: Int(end - now)) > 0 else {
                return .failed("it did not answer within \(timeoutMilliseconds / 1_000) s")
            }
        }
    }

    /// nil where it is to be gone on.
    private static func write(
        _ output: inout ByteBuffer, to socket: borrowing Socket
    ) throws(SystemError) -> Result? {
        switch socket.write(output.bytes) {
        case .bytes(let count): output.consume(count)
        case .wouldBlock: break
        case .failed(let error): throw socket.finishConnect() ?? error
        case .end, .truncated, .tlsFailed: return .failed("it ended the connection")
        }
        return nil
    }

    private static func read(from socket: borrowing Socket, into input: inout ByteBuffer) -> IOResult {
        var room = input.free
        let result = socket.read(into: &room)
        if case .bytes(let count) = result { input.commit(count) }
        return result
    }

    private static func feed(
        _ parser: inout ResponseHeadParser, _ input: borrowing ByteBuffer, _ head: inout ResponseHead
    ) -> HeadProgress {
        parser.feed(input.bytes, to: .get, limits: HTTPLimits(), into: &head)
    }

    private static func firstLine(_ input: borrowing ByteBuffer, from start: Int) -> String {
        var bytes: [UInt8] = []
        for index in start..<input.count {
            let byte = input.bytes[index]
            guard byte >= 0x20 else { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
