// What a request must be before its body is looked at: from a known caller, on a route that takes it and that the
// caller may use, within the caller's quotas, JSON.
// Relies on the served callers, routes and quotas. Refuses without a hint about what would be let in.

internal import Config
internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Signing

extension Worker {
    mutating func admit(_ context: ExchangeContext) -> Event {
        // Held once for all: each way to it through the generation counts a reference.
        let plan = generation.plan
        if let callers = plan.callers {
            guard let caller = find(callers, &context.state, inbound(context).peer) else {
                return .requestRefused(.callerUnknown)
            }
            context.state.caller = caller
        } else {
            context.state.caller = plan.anyone
        }
        return admit(&context.state, plan)
    }

    private mutating func find(
        _ callers: ServedCallers, _ context: inout ExchangeState, _ peer: InboundPeer
    ) -> RequestCaller? {
        let value = context.reader.head.value(.authorization) ?? .empty
        return find(callers, context.input, value, peer)
    }

    private mutating func find(
        _ callers: ServedCallers, _ input: borrowing ByteBuffer, _ value: ByteRange, _ peer: InboundPeer
    ) -> RequestCaller? {
        callers.find(input.bytes.slice(value), peer, &tokenHasher)
    }

    private mutating func admit(_ context: inout ExchangeState, _ plan: Plan) -> Event {
        switch plan.table.find(context.method, context.input.bytes.slice(context.reader.head.path)) {
        case .ambiguous: return .requestRefused(Refusal(.ambiguousPath))
        case .noRoute: return .requestRefused(.noRoute)
        case .methodNotAllowed(let allowed): return .requestRefused(.methodNotAllowed(allowed))
        case .route(let index):
            guard context.caller?.mayUse(index) == true else { return .requestRefused(.callerNotAllowed) }
            let route = generation.routes[index]
            context.route = route
            if draining { context.closes = true }
            if let refusal = mediaTypeRefusal(&context) { return .requestRefused(refusal) }
            if let refusal = charge(&context, route, plan) { return .requestRefused(refusal) }
            context.totalDeadline = now &+ UInt64(route.timeouts.totalMilliseconds)
            let waits = context.reader.head.expectsContinue && context.input.count == context.reader.head.length
            return .routeFound(
                RouteFacts(
                    expectsContinue: waits, lostAnswer: route.settings.lostAnswer,
                    isIdempotent: route.idempotency != nil, isPaced: route.pacer != nil))
        }
    }

    /// Charges the request to all of its quotas, or to none of them and says how long to wait.
    private mutating func charge(_ context: inout ExchangeState, _ route: ServedRoute, _ plan: Plan) -> Refusal? {
        guard let quotas = plan.quotas, let table = plan.counts else { return nil }
        guard let caller = context.caller?.quotaName else { preconditionFailure("who may use a route is known") }
        let checks = quotas.checks(caller: caller, route: route, method: context.method)
        // What came in by this turn is no younger than it is.
        let verdict = table.charge(checks, by: quotas.rules, at: turn)
        if quotas.isTold || !verdict.isAdmitted { quotas.write(checks, verdict, to: &context.fields) }
        count(checks, verdict)
        guard !verdict.isAdmitted else { return nil }
        var refusal = Refusal.quotaExceeded
        refusal.retryAfter = FieldSeconds.retryAfter(verdict.wait)
        return refusal
    }

    private mutating func mediaTypeRefusal(_ context: inout ExchangeState) -> Refusal? {
        let hasBody = context.reader.head.framing != .none && context.reader.head.framing != .length(0)
        guard hasBody else { return nil }
        if let refusal = codingRefusal(&context) { return refusal }
        let type = context.reader.head.contentType
        if type.isEmpty || isJSON(context.input, type) { return nil }
        return .unsupportedMediaType
    }

    private mutating func codingRefusal(_ context: inout ExchangeState) -> Refusal? {
        let name = context.reader.head.contentEncoding
        guard !name.isEmpty else { return nil }
        context.coding = coding(context.input, name)
        return context.coding == nil ? .unsupportedContentEncoding : nil
    }

    private func coding(_ input: borrowing ByteBuffer, _ name: ByteRange) -> ContentCoding? {
        ContentCoding(input.bytes.slice(name))
    }

    private func isJSON(_ input: borrowing ByteBuffer, _ type: ByteRange) -> Bool {
        isJSONMediaType(input.bytes.slice(type))
    }
}
