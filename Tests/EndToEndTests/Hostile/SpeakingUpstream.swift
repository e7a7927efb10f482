// An upstream that says something on its first connection when it is told to, after it has answered there, or on every
// connection before it is asked.
// Relies on python3's ssl module and on the sandbox's certificates. Refuses nothing.

import TestSupport

final class SpeakingUpstream {
    /// Answers each request with its connection's number. A byte on its other port: the first connection speaks.
    private static let script = """
        import itertools, socket, ssl, sys, threading
        certificate, says, when = sys.argv[1:3], sys.argv[3].encode(), sys.argv[4]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate[0] else None
        if context: context.load_cert_chain(*certificate)
        # The server's is the last word of this version's handshake.
        if context and when == "first": context.maximum_version = ssl.TLSVersion.TLSv1_2
        first = []
        def serve(stream, number):
            try:
                # In one segment with the end of the handshake.
                if when == "first": stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                if context: stream = context.wrap_socket(stream, server_side=True)
                if when == "first":
                    stream.sendall(says)
                    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
                    while stream.recv(65536): pass
                    return
                if number == 0: first.append(stream)
                while True:
                    data = b""
                    while not data.endswith(b"}"):
                        part = stream.recv(65536)
                        if not part: return
                        data += part
                    stream.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\n%d" % number)
            except (OSError, ValueError):
                pass
        def accept():
            for number in itertools.count():
                threading.Thread(target=serve, args=(listener.accept()[0], number), daemon=True).start()
        listener = socket.create_server(("127.0.0.1", 0))
        print("ready", listener.getsockname()[1], flush=True)
        threading.Thread(target=accept, daemon=True).start()
        other = socket.create_server(("127.0.0.1", 0))
        print("told at", other.getsockname()[1], flush=True)
        teller = other.accept()[0]
        teller.recv(1)
        if says == b"close": first[0].shutdown(socket.SHUT_RDWR)
        else: first[0].sendall(says)
        teller.sendall(b"done")
        threading.Event().wait()
        """

    private let sandbox: Sandbox?
    private let program: Program
    private let teller: Wire
    let url: String

    init(isTLS: Bool, _ says: String, unasked: Bool = false) throws {
        sandbox = isTLS ? try Sandbox() : nil
        let certificate = sandbox.map { [$0.folder.path + "/server.pem", $0.folder.path + "/server.key"] }
        let program = try Program(
            "/usr/bin/env",
            ["python3", "-c", Self.script] + (certificate ?? ["", ""]) + [says, unasked ? "first" : "later"])
        self.program = program
        func port(_ name: String) throws -> UInt16? {
            let line = try program.line(of: .output) { $0.hasPrefix(name) }
            return UInt16(line.dropFirst(name.count))
        }
        guard let upstream = try port("ready "), let told = try port("told at ") else {
            throw SupportFailure("no port in what the upstream wrote: \(program.output)")
        }
        url = "\(isTLS ? "https" : "http")://127.0.0.1:\(upstream)"
        teller = try Wire.connect(to: .ipv4(told))
    }

    deinit { program.signal(.kill) }

    var trust: String { sandbox?.trust ?? "" }

    /// Lets it speak, or end; its kernel has sent it afterwards.
    func speak() throws {
        try teller.send([1])
        guard case .bytes = teller.receive() else { throw SupportFailure("the upstream did not speak") }
    }
}
