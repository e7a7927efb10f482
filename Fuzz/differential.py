"""Differential fuzz of the request parser against h11, a strict HTTP/1.1 parser in Python (python-hyper/h11).

Seeded mutations of a grammar go to both. A finding is whatever we accept and h11 refuses, whatever is whole for one and
not yet for the other, and every difference in method, target, fields, body or end of the message in what both accept.
We may be stricter, never laxer. Needs h11; `scripts/fuzz --target differential` makes an environment that has it.

Differences that are allowed, each because ours is the safer reading:

| what                          | ours                               | h11                      |
| ----------------------------- | ---------------------------------- | ------------------------ |
| names of fields               | as sent                            | in small letters         |
| target in absolute form       | from the path on; authority = Host | as sent                  |
| value of Transfer-Encoding    | as sent                            | in small letters         |
| whatever we refuse            | refused                            | perhaps accepted         |
"""
import argparse
import collections
import random
import struct
import subprocess
import sys
import time

import h11

BATCH = 500
METHODS = [b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"PATCH", b"OPTIONS"]
ODD_METHODS = METHODS + [b"CONNECT", b"TRACE", b"get", b"G\tT", b"", b"PRI", b"X-Y", b"P(T"]
TARGETS = [b"/", b"/a", b"/a/b/c?x=1&y=%20", b"/~u/;p=1/@:!$&'()*+,=", b"/%7Eu", b"/a?b?c/d", b"/x/"]
ODD_TARGETS = TARGETS + [
    b"*", b"a:1", b"http://host/a", b"HTTPS://HOST:81/", b"//a", b"/a/../b", b"/%2e%2e/", b"/a#b", b"/a\\b",
    b"/\x7f", b"/\xc3\xa9", b"/%zz", b"/a b", b"/\"<>^`{|}", b"/[", b"http://u@host/", b""]
ODD_VERSIONS = [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ", b"HTTP/01.1", b"HTTP/1,1", b""]
HOSTS = [b"host", b"HOST:81", b"1.2.3.4:80", b"[::1]", b"[::1]:8080", b"a-b.c_d~e"]
ODD_HOSTS = HOSTS + [b"", b"a b", b"a,b", b"u@h", b"[::g]", b"h:0", b"h:99999", b"h:", b"\xff"]
FIELDS = [
    (b"Accept", b"*/*"), (b"X-A", b"1"), (b"x_b", b"a,b , c"), (b"X-Empty", b""), (b"Connection", b"close"),
    (b"Connection", b"keep-alive, x-a"), (b"Content-Type", b"application/json"), (b"TE", b"trailers"),
    (b"X-T", b"a\tb  c"), (b"Expect", b"100-continue"), (b"Trailer", b"x-sum"), (b"Authorization", b"Bearer x"),
    (b"Keep-Alive", b"5"), (b"!#$%&'*+-.^_`|~9", b"\"quoted, \\\" text\"")]
ODD_FIELDS = FIELDS + [
    (b"X A", b"1"), (b"", b"1"), (b"X-A ", b"1"), (b" X-A", b"1"), (b"X:", b"y"), (b"X-\xc3", b"1"), (b"X-A", b"\x00"),
    (b"X-A", b"\xff"), (b"X-A", b"a\r\n b"), (b"X-A", b"a\nb"), (b"X-A", b"a\rb"), (b"Host", b"host"),
    (b"Upgrade", b"h2c"), (b"X-A", b"\x7f"), (b"X-A", b"\x0b"), (b"Connection", b"upgrade"),
    (b"Connection", b"content-length"), (b"Expect", b"x")]
LENGTHS = [
    b"+5", b"-1", b" 5 ", b"05", b"5,5", b"5, 5", b"0x5", b"5 5", b"", b"18446744073709551621", b"5\x00", b"\xb25",
    b"1e1"]
CODINGS = [
    b"chunked", b"Chunked", b"gzip, chunked", b"chunked, chunked", b"identity", b"chunked;a=b", b" chunked\t",
    b"\"chunked\"", b"chunked,", b",chunked", b"x\tchunked", b"chunke\xe4"]
ODD_SIZES = [
    b"5", b"5;a", b"5;a=b;c=\"d e\"", b"05", b"0x5", b"+5", b" 5", b"5 ", b"5\t", b"5;", b"5;=",
    b"FFFFFFFFFFFFFFFFF", b"", b"5\n", b"5;a b"]
TRAILERS = [b"", b"", b"", b"X-Sum: 1\r\n"]
ODD_TRAILERS = [
    b"X-Sum: 1\r\n", b"Content-Length: 3\r\n", b"Host: a\r\n", b"X : 1\r\n", b" x: 1\r\n", b"x\r\n", b"X: \x00\r\n"]
ODD_ENDS = [b"\n", b"\r", b"\r\r\n", b" \r\n", b"\r\n\r\n", b""]
SPLICES = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\x00", b"\x80", b",", b";", b"\r\nX: y", b"\x0c", b"0", b"\x7f",
    b"%", b"/"]


class Grammar:
    """Requests, most of them well-formed but for one place."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        # How likely odd parts are in the request at hand; 0 for none.
        self.level = 0

    def odd(self, plain, odd, chance=0.06):
        return self.random.choice(odd if self.random.random() < chance * self.level else plain)

    def end(self):
        return self.odd([b"\r\n"], ODD_ENDS, 0.03)

    def chunked(self):
        body = b""
        for _ in range(self.random.randrange(4)):
            data = self.random.choice([b"hello", b"\r\n0\r\n", b"{\"a\":"])
            size = b"%x" % len(data)
            line = self.odd([size, size, size + b";a", size + b";a=b;c=\"d e\""], ODD_SIZES)
            body += line + self.end() + data + self.end()
        last = self.odd([b"0", b"0;x"], [b"00", b"000", b"-0", b"0 "])
        return body + last + self.end() + self.odd(TRAILERS, ODD_TRAILERS) + self.end()

    def framing(self):
        kind = self.random.randrange(10)
        if kind < 2:
            return [], b""
        if kind < 5:
            body = self.random.choice([b"", b"hello", b"GET / HTTP/1.1\r\n\r\n"])
            return [(b"Content-Length", b"%d" % len(body))], body
        if kind < 8 or self.level == 0:
            return [(b"Transfer-Encoding", self.odd(CODINGS[:2], CODINGS, 0.2))], self.chunked()
        if kind == 8:
            return [(b"Content-Length", self.random.choice(LENGTHS))] * self.random.choice([1, 1, 2]), b"hello"
        pair = [(b"Content-Length", b"5"), (b"Transfer-Encoding", self.random.choice(CODINGS))]
        self.random.shuffle(pair)
        return pair, self.chunked()

    def request(self):
        self.level = self.random.choice([0, 0.3, 1, 3])
        fields, body = self.framing()
        fields = fields + [(b"Host", self.odd(HOSTS, ODD_HOSTS))] * self.odd([1], [0, 2], 0.03)
        for _ in range(self.random.randrange(4)):
            fields.append(self.odd(FIELDS, ODD_FIELDS))
        self.random.shuffle(fields)
        text = self.odd(METHODS, ODD_METHODS) + self.space() + self.odd(TARGETS, ODD_TARGETS, 0.1)
        text += self.space() + self.odd([b"HTTP/1.1"], ODD_VERSIONS) + self.end()
        for name, value in fields:
            colon = self.odd([b": ", b": ", b":", b":\t", b":  "], [b" : ", b"", b" :"], 0.03)
            text += name + colon + value + self.end()
        return text + self.end() + body

    def space(self):
        return self.odd([b" "], [b"  ", b"\t", b""], 0.03)

    def mutated(self):
        """A request with a few bytes inserted, removed, changed or repeated; often none."""
        text = bytearray(self.request())
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2, 3]) if self.level else 1):
            at = self.random.randrange(len(text) + 1)
            kind = self.random.randrange(4)
            if kind == 0:
                text[at:at] = self.random.choice(SPLICES)
            elif kind == 1:
                del text[at:at + self.random.choice([1, 1, 2, 8])]
            elif kind == 2 and at < len(text):
                text[at] = self.random.randrange(256)
            else:
                start = self.random.randrange(len(text) + 1)
                text[at:at] = text[start:start + self.random.randrange(20)]
        if self.random.randrange(4) == 0:
            text += b"GET /next HTTP/1.1\r\nHost: host\r\n\r\n"
        return bytes(text)


def theirs(data):
    """What h11 makes of `data`: None for refused, "partial", or its parts."""
    connection = h11.Connection(h11.SERVER)
    request, body = None, b""
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return "partial"
            if event is h11.PAUSED:
                return None
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return request, body, len(data) - len(connection.trailing_data[0])
    except h11.RemoteProtocolError:
        return None


def difference(data, line):
    """Why an answer of ours is a finding; None where it is none."""
    words = line.split(" ")
    if words[0] == "refused":
        return None
    other = theirs(data)
    if words[0] == "partial":
        # To wait for more than the other side has sent is how requests are smuggled.
        return "whole for h11, not yet for us" if isinstance(other, tuple) else None
    if other is None:
        return "accepted by us, refused by h11"
    if other == "partial":
        return "whole for us, not yet for h11"
    request, body, consumed = other
    method, target, _, _, end, payload = words[1:7]
    if method.encode() != request.method:
        return "another method"
    if bytes.fromhex(target) != origin_form(request.target):
        return "another target"
    if bytes.fromhex(payload) != body:
        return "another body"
    if int(end) != consumed:
        return "another end: %s, %d" % (end, consumed)
    ours = [tuple(bytes.fromhex(part) for part in word.split("=")) for word in words[7:]]
    if [comparable(*field) for field in ours] != [comparable(*field) for field in request.headers]:
        return "other fields"
    return None


def origin_form(target):
    if target.startswith(b"/"):
        return target
    rest = target.split(b"://", 1)[-1]
    return b"/" + rest.split(b"/", 1)[1] if b"/" in rest else rest


def comparable(name, value):
    name = name.lower()
    return name, value.lower() if name == b"transfer-encoding" else value


def ask(process, inputs):
    """Writes a batch while the answers fit the pipe: a batch's answers are read as they come."""
    for data in inputs:
        process.stdin.write(struct.pack(">I", len(data)) + data)
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            sys.exit("the reader ended at: %r" % data)
        yield data, line.decode().rstrip("\n")


def main():
    options = argparse.ArgumentParser(description="compare our request parser with h11")
    options.add_argument("reader", help="path of fuzz-differential-reader")
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--seed", type=int, default=None)
    options = options.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2 ** 32)
    print("seed: %d (h11 %s)" % (seed, h11.__version__))
    grammar = Grammar(seed)
    process = subprocess.Popen([options.reader], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    counts, findings, end = collections.Counter(), {}, time.monotonic() + options.seconds
    while time.monotonic() < end:
        for data, line in ask(process, [grammar.mutated() for _ in range(BATCH)]):
            counts[line.split(" ")[0]] += 1
            why = difference(data, line)
            if why is not None and findings.setdefault(why, data) is data:
                print("FINDING: %s: %r" % (why, data))
    process.stdin.close()
    process.wait()
    print("executions: %d (%s), findings: %d" % (
        sum(counts.values()), ", ".join("%s %d" % pair for pair in sorted(counts.items())), len(findings)))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
