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
