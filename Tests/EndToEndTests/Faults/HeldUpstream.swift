// An upstream that waits for the test before it answers.

import TestSupport

/// An upstream that answers a request when `answer` is opened; `asked` opens with each that came. `headers`: whole
/// lines for its answers.
func heldUpstream(
    body: String = "{\"ok\":true}", headers: String = ""
) throws -> (FakeUpstream, asked: Gate, answer: Gate) {
    let asked = Gate()
    let answer = Gate()
    let upstream = try FakeUpstream { conversation in
        while conversation.request() != nil {
            asked.open()
            answer.pass()
            conversation.answer(body, headers: headers)
        }
    }
    return (upstream, asked, answer)
}

/// An upstream whose answers under `/big` have `size` bytes; it opens `stalled` once for each that is not taken.
func largeUpstream(_ size: Int) throws -> (FakeUpstream, stalled: Gate) {
    let stalled = Gate()
    let upstream = try FakeUpstream { conversation in
        while let request = conversation.request() {
            guard request.startLine.contains("/big") else {
                conversation.answer()
                continue
            }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            let block = [UInt8](repeating: 0x61, count: 65_536)
            var sent = 0
            var wasStalled = false
            while sent < size {
                let count = try? conversation.wire.sendSome(block, from: sent % 65_536, within: 300)
                guard let count else { return }
                if count == 0 && !wasStalled { stalled.open() }
                wasStalled = wasStalled || count == 0
                sent += count
            }
        }
    }
    return (upstream, stalled)
}
