// Which route a request takes: the first whose path and method fit. Compares bytes as they came; nothing is decoded,
// so a path cannot mean one route here and another one upstream.

package import HTTP

/// The routes in the operator's order, ready for comparison. Made once, read by all workers.
package struct RouteTable: Sendable {
    /// What `find` says.
    package enum Verdict: Equatable, Sendable {
        /// Index into the settings' routes.
        case route(Int)
        /// A path fits, its methods do not; the set is what the `Allow` header names.
        case methodNotAllowed(MethodSet)
        case noRoute
        /// The path spells unreserved characters as escapes, and its plain spelling would take another route.
        case ambiguous
    }

    private struct Entry: Sendable {
        let path: [UInt8]
        let isPrefix: Bool
        let methods: MethodSet
    }

    private let entries: [Entry]

    package init(_ routes: [RouteSettings]) {
        entries = routes.map { route in
            switch route.match {
            case .exact(let path): Entry(path: Array(path.utf8), isPrefix: false, methods: route.methods)
            case .prefix(let path): Entry(path: Array(path.utf8), isPrefix: true, methods: route.methods)
            }
        }
    }

    /// The first route that takes `method` on `path` (the target without its query).
    package func find(_ method: Method, _ path: Span<UInt8>) -> Verdict {
        let verdict = match(method, path)
        if let plain = decodingUnreserved(path), match(method, plain.span) != verdict { return .ambiguous }
        return verdict
    }

    private func match(_ method: Method, _ path: Span<UInt8>) -> Verdict {
        var allowed = MethodSet()
        for index in entries.indices where Self.fits(entries[index], path) {
            if entries[index].methods.contains(method) { return .route(index) }
            allowed.formUnion(entries[index].methods)
        }
        return allowed.isEmpty ? .noRoute : .methodNotAllowed(allowed)
    }

    private static func fits(_ entry: Entry, _ path: Span<UInt8>) -> Bool {
        let own = entry.path.span
        guard entry.isPrefix else { return spansEqual(own, path) }
        guard spanHasPrefix(path, own) else { return false }
        // A prefix ends at a segment's border, or it would lend its credential to a neighbour's name.
        let slash = UInt8(ascii: "/")
        return path.count == own.count || own[own.count - 1] == slash || path[own.count] == slash
    }
}
