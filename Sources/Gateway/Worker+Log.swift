// One line of the access log for each request, written when it has ended.
// Relies on RequestTrail for what was noted on the way and on LogLines for what a line may hold.

internal import Config
internal import Exchange
internal import HTTP
internal import Net
internal import Policy

extension Worker {
    // MARK: - The beginning

    /// The first byte of a request is there: it has a name, and a trace until it says otherwise.
    mutating func beginTrail(_ context: inout ExchangeState) {
        guard context.trail.number == 0 else { return }
        context.trail.startedAt = turn
        context.trail.number = requestIDs.next()
        context.trail.trace = requestIDs.beginTrace()
    }

    /// The head is there. A trace that it names goes on, with our own span as the parent of what is sent.
    mutating func readTrace(_ context: inout ExchangeState) {
        context.trail.hasMethod = true
        guard let named = Self.trace(in: context.reader, context.input) else { return }
        context.trail.hasTrace = true
        context.trail.trace.traceHigh = named.traceHigh
        context.trail.trace.traceLow = named.traceLow
        context.trail.trace.isSampled = named.isSampled
    }

    private static func trace(in reader: borrowing RequestReader, _ input: borrowing ByteBuffer) -> TraceParent? {
        reader.head.traceParent(in: input.bytes)
    }

    // MARK: - The end

    /// Writes the request's line, where it is to have one; it has ended at `end`.
    mutating func log(_ context: inout ExchangeState, _ outcome: Outcome, at end: UInt64) {
        let settings = generation.plan.settings.log
        let status = context.trail.status
        switch settings.requests {
        case .off: return dropFollower(&context)
        case .errors: if outcome.cause.isSuccess && status < 400 { return dropFollower(&context) }
        case .all: break
        }
        lines.begin(logTime, Self.level(outcome.cause, status), "request")
        writeNames(&context)
        Self.writeSizes(context.reader.body.count, context.trail.answerBytes, to: &lines)
        writeOutcome(&context, outcome)
        let isPaced = context.route?.pacer != nil
        Self.writeTimes(context.trail, isPaced: isPaced, end, to: &lines)
        logIDs(&context, outcome)
        logBodies(&context, outcome)
        guard lines.end(limit: logBuffer.room(limit: settings.buffer)) else {
            metrics.worker.add(.linesDropped)
            return logBuffer.dropped()
        }
    }

    private static func level(_ cause: Cause, _ status: Int) -> LogLevel {
        if cause.isFault || status >= 500 { return .error }
        return cause.isSuccess && status < 400 ? .info : .warning
    }

    /// Whose request it was, and what it was to be.
    private mutating func writeNames(_ context: inout ExchangeState) {
        Self.writeIDs(requestIDs.id(context.trail.number), context.trail, context.method, to: &lines)
        if let route = context.route { lines.add(route.logFields) }
        if let caller = context.caller { lines.add(caller.logFields) }
        if let key = context.trail.key {
            lines.add("idempotency.key", key)
        } else if let id = context.trail.keyID {
            lines.add { $0.add("idempotency.key", hex: id) }
        }
    }

    @inline(__always)
    private static func writeIDs(
        _ id: RequestID, _ trail: RequestTrail, _ method: Method, to lines: inout LogLines
    ) {
        lines.add { members in
            members.add("request_id", id)
            members.add("trace_id", hex: trail.trace.traceHigh, trail.trace.traceLow)
            members.add("span_id", hex: trail.trace.parent)
            // As OpenTelemetry says it where the method is none of the known ones.
            members.add("http.request.method", word: trail.hasMethod ? method.name : "_OTHER")
        }
    }

    private static func writeSizes(_ request: Int, _ answer: Int, to lines: inout LogLines) {
        lines.add { members in
            members.add("http.request.body.size", request)
            members.add("http.response.body.size", answer)
        }
    }

    /// How it ended. Most requests end as the one before did, and say it in the same bytes.
    private mutating func writeOutcome(_ context: inout ExchangeState, _ outcome: Outcome) {
        let end = LoggedEnd(outcome, context.trail, attempts: context.exchange.attempts)
        guard context.trail.error == nil && context.trail.productCode == nil else {
            return Self.write(end, context.trail, to: &lines)
        }
        if lastEnd != end {
            lastEnd = end
            lastEndLines.clear()
            Self.write(end, context.trail, to: &lastEndLines)
        }
        lines.append(lastEndLines)
    }

    private static func write(_ end: LoggedEnd, _ trail: RequestTrail, to lines: inout LogLines) {
        lines.add { members in
            if end.status > 0 { members.add("http.response.status_code", end.status) }
            if end.upstreamStatus > 0 { members.add("upstream.status_code", end.upstreamStatus) }
            if let code = trail.productCode { members.add("upstream.product_code", code) }
            members.add("phase", word: end.outcome.phase.word)
            members.add("cause", word: end.outcome.cause.word)
            if let error = trail.error { Self.write(error, trail.sent, to: &members) }
            members.add("attempts", end.attempts)
            members.add("replayed", end.outcome.cause == .replayed)
            if let isReused = end.isReused { members.add("connection.reused", isReused) }
        }
    }

    private static func write(_ error: StaticString, _ state: Sent, to members: inout LogMembers) {
        members.add("error.type", word: error)
        let (sent, assumed) = state.words
        members.add("sent", word: sent)
        if let assumed { members.add("outcome", word: assumed) }
    }

    /// How long it took, and the parts of that which were begun. A part that was not ended goes on to the answer.
    @inline(__always)
    private static func writeTimes(_ trail: RequestTrail, isPaced: Bool, _ end: UInt64, to lines: inout LogLines) {
        let settled = trail.time(.settled) > 0 ? trail.time(.settled) : end
        let sent = trail.time(.sent) > 0 ? trail.time(.sent) : trail.time(.sealed)
        lines.add { members in
            @inline(__always) func add(_ name: StaticString, _ from: UInt64, _ to: UInt64) {
                guard from > 0 else { return }
                let until = to > 0 ? to : settled
                members.add(name, nanoseconds: until > from ? until - from : 0)
            }
            add("duration_ms", trail.startedAt, end)
            add("body_ms", trail.time(.admitted), trail.time(.collected))
            if trail.keyID != nil { add("store_ms", trail.time(.collected), trail.time(.remembered)) }
            if isPaced { add("pace_ms", trail.time(.remembered), trail.time(.paced)) }
            add("connect_ms", trail.time(.drafted), trail.time(.connected))
            add("first_byte_ms", sent, trail.time(.answered))
            add("answer_ms", trail.time(.answered), trail.recordedAt)
            if trail.recordedAt > 0 { add("record_ms", trail.recordedAt, 0) }
            add("delivery_ms", trail.time(.settled), end)
        }
    }

    // MARK: - On its way

    /// Gives the lines of this turn to the writer; where that one is just taking others, they wait for the next turn.
    mutating func handOverLines() {
        guard lines.count > 0 else { return }
        _ = logBuffer.take(&lines, limit: generation.plan.settings.log.buffer)
    }
}
