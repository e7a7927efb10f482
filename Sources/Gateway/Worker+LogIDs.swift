// Ids out of bodies in the access log: what a request and its answer are called elsewhere.
// Relies on Policy for which members are ids and how they are shown. Refuses to hold a body for the log, and to name an
// id of a body that did not come whole.

internal import Config
internal import Exchange
internal import HTTP
internal import Policy

/// Looks for ids in one body. A class: exchanges refer to it while their answers pass.
final class IDFinder {
    fileprivate var reading = JSONStreamQuery()
    fileprivate var ids: CorrelationIDs
    fileprivate init(_ ids: CorrelationIDs) { self.ids = ids }
}

extension Worker {
    /// Finders that are kept for bodies to come.
    private static let spareFinders = 64

    /// The answer's head is there: its body is looked at from here on, where the log is to have its ids.
    mutating func findIDs(_ context: inout ExchangeState, isEncoded: Bool) {
        guard let ids = context.route?.ids, context.answerIDs == nil, !isEncoded, ids.looks(at: .answer) else { return }
        context.answerIDs = finder(ids)
    }

    private mutating func finder(_ ids: CorrelationIDs) -> IDFinder {
        guard let finder = idFinders.popLast() else { return IDFinder(ids) }
        finder.ids = ids
        return finder
    }

    /// A part of a body.
    static func read(_ bytes: borrowing ByteBuffer, _ range: ByteRange, _ finder: IDFinder) {
        finder.reading.read(bytes.bytes.slice(range), finder.ids.query)
    }

    /// A whole body.
    static func readWhole(
        _ bytes: borrowing ByteBuffer, _ range: ByteRange, _ finder: IDFinder, _ scanner: inout JSONScanner
    ) {
        finder.reading.readWhole(bytes.bytes.slice(range), finder.ids.query, by: &scanner)
    }

    /// Adds the ids of both bodies to the request's line.
    mutating func logIDs(_ context: inout ExchangeState, _ outcome: Outcome) {
        guard let route = context.route, let ids = route.ids else { return }
        let isPlain = context.bodyIsOwn || context.coding == nil
        if isPlain && context.bodyIsWhole && !context.reader.body.isEmpty && ids.looks(at: .request) {
            let finder = finder(ids)
            if context.bodyIsOwn {
                Self.readWhole(context.body, ByteRange(0, context.body.count), finder, &idScanner)
            } else {
                Self.readWhole(context.input, context.reader.body, finder, &idScanner)
            }
            add(finder, .request, route)
            keep(finder)
        }
        if let finder = context.answerIDs {
            if outcome.cause.isSuccess { add(finder, .answer, route) }
            context.answerIDs = nil
            keep(finder)
        }
    }

    private mutating func add(_ finder: IDFinder, _ direction: BodyDirection, _ route: ServedRoute) {
        guard finder.reading.finish() == .whole else { return }
        lines.add(finder.ids, direction, finder.reading) { id in
            guard let hasher = route.idHasher else { preconditionFailure("hashed ids have a hasher") }
            return hasher.hash(id: id, route.credential)
        }
    }

    /// Takes a finder of an exchange back, whose line it is not in.
    mutating func dropFinder(_ context: inout ExchangeState) {
        guard let finder = context.answerIDs else { return }
        context.answerIDs = nil
        keep(finder)
    }

    private mutating func keep(_ finder: IDFinder) {
        finder.reading.begin()
        if idFinders.count < Self.spareFinders { idFinders.append(finder) }
    }
}
