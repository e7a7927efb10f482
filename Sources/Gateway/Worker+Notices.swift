// What an upstream's answers say of our clock and our signatures, for the operator.
// Relies on the answer's head still lying where it was read. Refuses to keep more of a 401's body than a message has.

internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Signing

extension Worker {
    /// Bytes of a 401's body in which its message is looked for.
    private static let maxDenial = 4_096
    private static let messageQuery: JSONQuery = {
        guard let pointer = JSONPointer("/message") else { preconditionFailure("a pointer of our own is well-formed") }
        return JSONQuery([pointer])
    }()

    /// Looks at the upstream's clock, once per second.
    mutating func noteClock(_ context: inout ExchangeState) {
        let upstream = route(&context).upstream
        guard upstream.clockSeenAt != date.unixSeconds,
            let theirs = Self.theirDate(of: context.answer, context.received)
        else { return }
        upstream.clockSeenAt = date.unixSeconds
        upstream.skew.note(date.unixSeconds - theirs, at: now)
        let seconds = upstream.skew.largest(at: now)
        upstream.counters.setSkew(seconds, at: turn)
        guard seconds.magnitude > ClockSkew.warned.magnitude, now >= upstream.skewToldUntil else { return }
        let notice = Notice.clockSkew(upstream: upstream.settings.name, seconds: Int(seconds))
        upstream.skewToldUntil = now + notice.restMilliseconds
        _ = shared.notices.post(notice)
    }

    private static func theirDate(of answer: borrowing AnswerReader, _ received: borrowing ByteBuffer) -> Int64? {
        guard let value = answer.head.value(.date) else { return nil }
        return HTTPDate.parse(received.bytes.slice(value))
    }

    /// Takes a part of a 401's body, before it is passed on.
    mutating func noteDenial(_ count: Int, _ context: inout ExchangeState) {
        guard context.answer.head.status == 401, context.denial.count < Self.maxDenial else { return }
        Self.copy(min(count, Self.maxDenial - context.denial.count), of: context.received, to: &context.denial)
    }

    private static func copy(_ count: Int, of received: borrowing ByteBuffer, to denial: inout ByteBuffer) {
        denial.append(received.bytes.extracting(first: count))
    }

    /// The answer is whole: a 401 is told with its likely cause.
    mutating func tellOfDenial(_ context: inout ExchangeState) {
        guard context.answer.head.status == 401 else { return }
        let route = route(&context)
        guard now >= route.signer.denialToldUntil else { return }
        let cause = RefusedSignature(
            message: message(context.denial), skew: route.upstream.skew.largest(at: now))
        let notice = Notice.signatureRefused(credential: route.credentialName, cause)
        route.signer.denialToldUntil = now + notice.restMilliseconds
        _ = shared.notices.post(notice)
    }

    /// The text of `message` in a body; empty where there is none that is short and plain.
    private mutating func message(_ body: borrowing ByteBuffer) -> String {
        guard body.count > 0, body.count < Self.maxDenial else { return "" }
        // The scanner's findings are about no request from here on.
        scanned = nil
        guard scanner.scan(body.bytes, query: Self.messageQuery, maxDepth: limits.maxJSONDepth) == nil else {
            return ""
        }
        let found = scanner.found(0)
        guard found.state == .present, found.kind == .string, found.value.count <= 202 else { return "" }
        let text = body.bytes.slice(found.value)
        var bytes: [UInt8] = []
        for index in 1..<text.count - 1 { bytes.append(text[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
