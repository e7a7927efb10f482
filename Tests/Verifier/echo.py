"""An upstream that gives each request's body back, over TLS where it has a certificate, and the mark of its head too.

    echo.py [--cert FILE --key FILE]

Prints "ready: PORT". Every other answer is chunked; each has the header X-Echo with the value of the caller's X-Account.
Reads Content-Length bodies only, which is what the gateway sends.
"""

import argparse
import socket
import ssl
import threading


def serve(connection):
    buffer, count = b"", 0
    while True:
        while b"\r\n\r\n" not in buffer:
            part = connection.recv(65536)
            if not part:
                return
            buffer += part
        head, buffer = buffer.split(b"\r\n\r\n", 1)
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        lower = {name.lower(): value for name, value in fields.items()}
        length = int(lower.get(b"content-length", b"0"))
        while len(buffer) < length:
            part = connection.recv(65536)
            if not part:
                return
            buffer += part
        body, buffer = buffer[:length], buffer[length:]
        count += 1
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Echo: " + lower.get(b"x-account", b"-")
        if count % 2:
            answer += b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        else:
            half = len(body) // 2
            parts = [part for part in (body[:half], body[half:]) if part]
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
            answer += b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        connection.sendall(answer)


def converse(raw, tls):
    try:
        with raw, tls.wrap_socket(raw, server_side=True) if tls else raw as connection:
            serve(connection)
    except OSError:
        pass  # The gateway went, as it may.


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert")
    parser.add_argument("--key")
    options = parser.parse_args()
    tls = None
    if options.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"ready: {listener.getsockname()[1]}", flush=True)
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=converse, args=(raw, tls), daemon=True).start()


main()
