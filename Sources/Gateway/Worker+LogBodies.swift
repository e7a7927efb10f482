// Bodies in the access log: what of a request's and an answer's body is known to be harmless.
// Relies on Policy's redactor for what that is. Refuses to hold a body for the log: an answer is read as it passes.

internal import Config
internal import Exchange
internal import HTTP
internal import Policy

/// A redactor that follows one answer. A class: exchanges refer to it while their answers pass, and few do.
final class AnswerRedactor {
    fileprivate var redactor: Redactor
    init(_ rules: RedactionRules, limit: Int) { redactor = Redactor(rules, limit: limit) }
}

extension Worker {
    /// Redactors that are kept for answers to come.
    private static let spareRedactors = 64

    /// The answer's head is there: its body is followed from here on, where the log is to show it.
    mutating func followAnswer(_ context: inout ExchangeState, isEncoded: Bool) {
        findIDs(&context, isEncoded: isEncoded)
        guard let rules = context.route?.redaction, context.answerRedactor == nil else { return }
        let limit = generation.plan.settings.log.bodyLimit
        let follower = redactors.popLast() ?? AnswerRedactor(rules, limit: limit)
        follower.redactor.begin(rules, .answer, isEncoded: isEncoded)
        context.answerRedactor = follower
    }

    /// The first `count` bytes of what was received are payload that goes to the caller.
    mutating func followPayload(_ count: Int, _ context: inout ExchangeState) {
        let range = ByteRange(0, count)
        if let finder = context.answerIDs {
            if context.answer.head.framing == .length(count) && context.trail.answerBytes == count {
                Self.readWhole(context.received, range, finder, &idScanner)
            } else {
                Self.read(context.received, range, finder)
            }
        }
        if let follower = context.answerRedactor { Self.update(follower, context.received, range) }
    }

    /// An answer from before: all of it is there.
    mutating func followKept(_ context: inout ExchangeState) {
        guard let route = context.route, route.redaction != nil || route.ids != nil else { return }
        followAnswer(&context, isEncoded: Self.isEncoded(context.held))
        guard let start = Self.bodyStart(context.held) else { return }
        let range = ByteRange(start, context.held.count)
        if let finder = context.answerIDs { Self.readWhole(context.held, range, finder, &idScanner) }
        if let follower = context.answerRedactor { Self.update(follower, context.held, range) }
    }

    private static func update(_ follower: AnswerRedactor, _ bytes: borrowing ByteBuffer, _ range: ByteRange) {
        follower.redactor.update(bytes.bytes.slice(range))
    }

    private static func bodyStart(_ held: borrowing ByteBuffer) -> Int? { KeptAnswer(held.bytes)?.bodyStart }

    /// Whether a kept answer's fields name a coding.
    private static func isEncoded(_ held: borrowing ByteBuffer) -> Bool {
        guard let kept = KeptAnswer(held.bytes) else { return true }
        return kept.namesCoding(in: held.bytes)
    }

    /// Adds what may be shown of both bodies to the request's line.
    mutating func logBodies(_ context: inout ExchangeState, _ outcome: Outcome) {
        guard let rules = context.route?.redaction else { return }
        if !context.reader.body.isEmpty || context.bodyIsOwn {
            let limit = generation.plan.settings.log.bodyLimit
            let follower = redactors.popLast() ?? AnswerRedactor(rules, limit: limit)
            follower.redactor.begin(rules, .request, isEncoded: context.coding != nil && !context.bodyIsOwn)
            if context.bodyIsOwn {
                Self.update(follower, context.body, ByteRange(0, context.body.count))
            } else {
                Self.update(follower, context.input, context.reader.body)
            }
            lines.add("request.body", &follower.redactor, isComplete: context.bodyIsWhole)
            keep(follower)
        }
        if let follower = context.answerRedactor {
            lines.add("response.body", &follower.redactor, isComplete: outcome.cause.isSuccess)
            context.answerRedactor = nil
            keep(follower)
        }
    }

    /// Takes back what followed the answer of an exchange that has no line.
    mutating func dropFollower(_ context: inout ExchangeState) {
        dropFinder(&context)
        guard let follower = context.answerRedactor else { return }
        context.answerRedactor = nil
        keep(follower)
    }

    private mutating func keep(_ follower: AnswerRedactor) {
        if redactors.count < Self.spareRedactors { redactors.append(follower) }
    }
}
