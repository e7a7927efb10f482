// Heads are read sixteen bytes at a time: names, values and paths of every length around the blocks' borders, with and
// without bytes behind the head. Relies on what is expected being put together byte by byte.

import HTTP
import TestSupport
import Testing

/// How many bytes follow a head: within them a block may reach beyond its end.
private let behind = [0, 1, 15, 16, 40]

private func name(_ length: Int) -> String { String("x-Abcdefghijklmnopqrstuvwxyz_0123456789".prefix(length)) }

private func response(_ fields: String) -> String { "HTTP/1.1 200 OK\r\n\(fields)\r\n" }

@Suite struct HeadBlockTests {
    @Test(arguments: 1...39)
    func aFieldReadsTheSameWhereverItStands(_ length: Int) {
        for before in 0..<16 {
            for value in ["", "v", "v:", "v w", "0123456789abcd", "0123456789abcdefg", "\u{e9}"] {
                for (left, right) in [(" ", ""), ("", ""), ("\t", ""), ("  ", ""), (" ", " "), (" ", "\t \t")] {
                    let first = "A: \(String(repeating: "b", count: before + 1))\r\n"
                    let head = response("\(first)\(name(length)):\(left)\(value)\(right)\r\nC: d\r\n")
                    for count in behind {
                        let read = readResponse(Array((head + String(repeating: "z", count: count)).utf8))
                        #expect(read.progress == .complete && read.length == head.utf8.count)
                        #expect(read.fields.dropFirst() == ["other|\(name(length))|\(value)", "other|C|d"])
                    }
                }
            }
        }
    }

    @Test(arguments: 1...39)
    func aNameIsRefusedForAnyOfItsBytes(_ length: Int) {
        for at in 0..<length {
            for bad in [" ", "\t", "(", "\u{e9}", "/"] {
                let text = name(length)
                let cut = text.index(text.startIndex, offsetBy: at)
                let head = response("A: b\r\n\(text[..<cut])\(bad)\(text[cut...].dropFirst()): v\r\n")
                let isBlank = at == 0 && (bad == " " || bad == "\t")
                for count in behind {
                    let read = readResponse(Array((head + String(repeating: "z", count: count)).utf8))
                    #expect(read.progress == .refused(isBlank ? .obsFold : .badFieldName), "\(bad) at \(at)")
                }
            }
        }
    }

    @Test(arguments: 1...39)
    func aLineWithoutItsColonIsRefused(_ length: Int) {
        for line in [name(length), ":" + name(length), " " + name(length)] {
            // The next line has a colon, which is no one's but its own.
            let head = response("\(line)\r\nA: b\r\n")
            for count in behind {
                let read = readResponse(Array((head + String(repeating: ":", count: count)).utf8))
                #expect(read.progress == .refused(line.hasPrefix(" ") ? .obsFold : .badFieldName))
            }
        }
    }

    @Test func aKnownNameIsKnownAtTheEndAsWell() {
        let values = [
            "content-length": "5", "connection": "x-a", "content-type": "a/b", "content-encoding": "gzip",
            "proxy-authentication-info": "a", "transfer-encoding": "chunked", "te": "t", "via": "v", "date": "d",
            "idempotency-key": "k", "www-authenticate": "w", "proxy-connection": "p", "content-sha512": "s",
            "x-request-id": "i", "upgrade": "u", "server": "s", "retry-after": "1",
        ]
        for (known, value) in values {
            for name in [known, known.uppercased()] {
                let head = Array(response("\(name): \(value)\r\n").utf8)
                let bare = readResponse(head)
                #expect(bare.progress == .complete && bare.fields.count == 1 && !bare.fields[0].hasPrefix("other|"))
                for count in behind { #expect(readResponse(head + [UInt8](repeating: 0x7A, count: count)) == bare) }
            }
        }
    }

    @Test(arguments: 1...50)
    func aPathIsReadTheSameOverAllBlocks(_ length: Int) {
        /// `path` in a request with `count` bytes behind it.
        func progress(_ path: [UInt8], _ count: Int) -> HeadProgress {
            let after = " HTTP/1.1\r\nHost: h\r\n\r\n" + String(repeating: "z", count: count)
            return readRequest(Array("GET ".utf8) + path + Array(after.utf8)).progress
        }
        let plain = Array(("/" + name(39) + name(39)).utf8.prefix(length))
        for count in behind {
            #expect(progress(plain, count) == .complete)
            for at in 1..<max(1, length) {
                var path = plain
                path[at] = UInt8(ascii: "/")
                // A slash behind a slash is an empty segment, but at the end of the path.
                #expect(progress(path, count) == (at == 1 ? .refused(.ambiguousPath) : .complete))
                path[at - 1] = UInt8(ascii: "/")
                #expect(progress(path, count) == .refused(.ambiguousPath), "slashes at \(at - 1)")
                path = plain
                path[at] = UInt8(ascii: "{")
                #expect(progress(path, count) == .refused(.badTarget), "brace at \(at)")
            }
        }
    }

    @Test func marksAreTheSameInBothForms() {
        var random = Seed(printedSeed("marks"))
        for _ in 0..<2_000 {
            var bytes = SIMD16<Int8>()
            var expected: UInt32 = 0
            for at in 0..<16 {
                bytes[at] = Int8.random(in: -2...1, using: &random)
                if bytes[at] == 0 { expected |= 1 << UInt32(at) }
            }
            let marks = ByteMarks(bytes .== SIMD16(repeating: 0))
            #expect(marks.mask == expected && marks.gathered == expected)
        }
    }
}
