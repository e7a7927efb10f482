// Answers over TLS that end with the connection: whole only where the upstream said close_notify.
// Relies on python3's ssl module for the upstream and on the sandbox's certificates. Refuses an upstream that does not
// start.

import Foundation
import TestSupport
import Testing

@Suite struct CutTLSTests {
    /// Serves one answer per connection; the request's path says which, and how the connection ends.
    private static let script = """
        import socket, ssl, struct, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        answers = {
            b"length": b"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n{\\"a\\":1}",
            b"chunks": b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n7\\r\\n{\\"a\\":1}\\r\\n",
            b"until": b"HTTP/1.1 200 OK\\r\\n\\r\\n{\\"a\\":1}",
            b"old": b"HTTP/1.0 200 OK\\r\\n\\r\\n{\\"a\\":1}",
            b"head": b"HTTP/1.1 200 OK\\r\\n",
            b"none": b"",
        }
        def serve(plain):
            try:
                stream = context.wrap_socket(plain, server_side=True)
                data = b""
                while b"\\r\\n\\r\\n{}" not in data:
                    part = stream.recv(65536)
                    if not part: return
                    data += part
                _, what, end = data.split(b" ")[1].split(b"/")
                if answers[what]: stream.sendall(answers[what])
                if end == b"notify":
                    stream.settimeout(5)
                    stream.unwrap().close()
                elif end == b"cut":
                    stream.shutdown(socket.SHUT_WR)
                    stream.close()
                else:
                    plain = socket.socket(fileno=stream.detach())
                    if end == b"reset":
                        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if end == b"garbage": plain.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
                    if end == b"alert": plain.sendall(b"\\x15\\x03\\x03\\x00\\x02\\x02\\x28")
                    plain.close()
            except (OSError, ValueError):
                pass
        listener = socket.create_server(("127.0.0.1", 0))
        print("ready", listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """

    @Test func anAnswerThatWasCutIsNeverWhole() throws {
        let sandbox = try Sandbox()
        let folder = sandbox.folder.path
        let upstream = try Program(
            "/usr/bin/env", ["python3", "-c", Self.script, folder + "/server.pem", folder + "/server.key"])
        defer { upstream.signal(.kill) }
        let line = try upstream.line(of: .output) { $0.hasPrefix("ready ") }
        var setup = Setup(url: "https://127.0.0.1:\(line.dropFirst(6))")
        setup.upstream = sandbox.trust
        let gateway = try GatewayUnderTest(setup)
        for what in ["length", "chunks", "until", "old", "head", "none"] {
            for end in ["notify", "cut", "close", "reset", "garbage", "alert"] {
                let caller = try gateway.caller()
                try caller.send(post("/\(what)/\(end)", "{}"))
                let answer = try? caller.answer()
                if end == "notify" && ["until", "old"].contains(what) {
                    #expect(answer?.status == 200 && answer?.text == "{\"a\":1}", "\(what), \(end)")
                } else {
                    #expect(answer == nil || answer?.status == 502, "\(what), \(end): \(answer?.startLine ?? "")")
                    if let answer { #expect((answer["Proxy-Status"] ?? "").contains("sent=?1; outcome=unknown")) }
                }
            }
        }
        #expect(try gateway.ask(post("/until/notify", "{}")).text == "{\"a\":1}")
    }
}
