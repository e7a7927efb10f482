// Which route a request takes: exact paths, prefixes at a segment's border, methods, and the operator's order.
// Relies on the table's public face only.

import HTTP
import Policy
import TestSupport
import Testing

private func route(_ match: PathMatch, _ methods: Method...) -> RouteSettings {
    RouteSettings(
        name: "r", methods: MethodSet(methods.map { MethodSet($0) }), match: match, upstream: 0, credential: 0,
        kind: .read, lostAnswer: .unknown, product: .problem)
}

private func find(_ routes: [RouteSettings], _ method: Method, _ path: String) -> RouteTable.Verdict {
    let bytes = Array(path.utf8)
    return RouteTable(routes).find(method, bytes.span)
}

struct PathCase: Sendable, CustomTestStringConvertible {
    let match: PathMatch
    let path: String
    let fits: Bool

    init(_ match: PathMatch, _ path: String, _ fits: Bool) {
        self.match = match
        self.path = path
        self.fits = fits
    }

    var testDescription: String { "\(match) \(path) -> \(fits)" }
}

private let paths: [PathCase] = [
    PathCase(.exact("/a"), "/a", true), PathCase(.exact("/a"), "/a/", false), PathCase(.exact("/a"), "/A", false),
    PathCase(.exact("/a"), "/ab", false), PathCase(.exact("/a"), "/", false), PathCase(.exact("/a"), "", false),
    PathCase(.exact("/"), "/", true), PathCase(.exact("/"), "/a", false), PathCase(.exact("/a/b"), "/a", false),
    PathCase(.prefix("/a"), "/a", true), PathCase(.prefix("/a"), "/a/", true), PathCase(.prefix("/a"), "/a/b", true),
    PathCase(.prefix("/a"), "/ab", false), PathCase(.prefix("/a"), "/a-b", false),
    PathCase(.prefix("/a"), "/a;x", false), PathCase(.prefix("/a"), "/a.b", false),
    PathCase(.prefix("/a"), "/A/b", false), PathCase(.prefix("/a"), "/", false), PathCase(.prefix("/a"), "", false),
    PathCase(.prefix("/a"), "/b/a", false), PathCase(.prefix("/a/"), "/a", false),
    PathCase(.prefix("/a/"), "/a/", true), PathCase(.prefix("/a/"), "/a/b", true),
    PathCase(.prefix("/a/"), "/ab", false), PathCase(.prefix("/a/b"), "/a/b/c", true),
    PathCase(.prefix("/a/b"), "/a/bc", false), PathCase(.prefix("/"), "/", true),
    PathCase(.prefix("/"), "/anything/at/all", true), PathCase(.prefix("/"), "*", false),
    PathCase(.exact("/a"), "*", false), PathCase(.prefix("/a%2Fb"), "/a/b", false),
]

@Suite struct RouteTableTests {
    @Test(arguments: paths)
    func aPathFitsByBytes(_ example: PathCase) {
        let verdict = find([route(example.match, .post)], .post, example.path)
        #expect(verdict == (example.fits ? .route(0) : .noRoute))
    }

    @Test func theFirstThatFitsWins() {
        let routes = [
            route(.exact("/v1/pay"), .post), route(.prefix("/v1"), .post, .get), route(.prefix("/v1/pay"), .post),
            route(.prefix("/"), .get),
        ]
        #expect(find(routes, .post, "/v1/pay") == .route(0))
        #expect(find(routes, .get, "/v1/pay") == .route(1))
        #expect(find(routes, .post, "/v1/pay/x") == .route(1))
        #expect(find(routes, .get, "/v2") == .route(3))
    }

    @Test func aPathThatFitsWithOtherMethodsNamesThemAll() {
        let routes = [
            route(.exact("/a"), .post, .put), route(.prefix("/a"), .delete), route(.exact("/b"), .patch),
            route(.prefix("/c"), .get),
        ]
        #expect(
            find(routes, .get, "/a") == .methodNotAllowed(MethodSet([MethodSet(.post), .init(.put), .init(.delete)])))
        #expect(find(routes, .get, "/a/b") == .methodNotAllowed(MethodSet(.delete)))
        #expect(find(routes, .head, "/c/d") == .methodNotAllowed(MethodSet(.get)))
        #expect(find(routes, .get, "/d") == .noRoute)
    }

    @Test(arguments: Method.allCases)
    func everyMethodIsItsOwn(_ method: Method) {
        for other in Method.allCases {
            let expected: RouteTable.Verdict = other == method ? .route(0) : .methodNotAllowed(MethodSet(method))
            #expect(find([route(.exact("/a"), method)], other, "/a") == expected)
        }
        #expect(find([route(.exact("/a"))], method, "/a") == .noRoute)
        #expect(find([], method, "/a") == .noRoute)
    }

    @Test func anEscapedSpellingThatWouldTakeAnotherRouteIsAmbiguous() {
        let routes = [route(.prefix("/pay"), .post), route(.prefix("/"), .post, .get)]
        #expect(find(routes, .post, "/p%61y") == .ambiguous)
        #expect(find(routes, .post, "/p%61y/x") == .ambiguous)
        // For GET both spellings take the second route.
        #expect(find(routes, .get, "/p%61y") == .route(1))
        #expect(find(routes, .post, "/pay/%61") == .route(0))
        #expect(find(routes, .post, "/x%20y") == .route(1))
    }

    /// Against a second reading of the same rules: segments in place of bytes.
    @Test func agreesWithSegmentsForRandomTables() {
        let value = UInt64.random(in: 0...UInt64.max)
        print("seed of RouteTableTests: \(value)")
        var random = Seed(value)
        func somePath() -> String {
            let count = Int.random(in: 1...3, using: &random)
            return (0..<count).map { _ in "/" + ["a", "b", "ab"][Int.random(in: 0...2, using: &random)] }.joined()
        }
        for _ in 0..<2_000 {
            let isPrefix = Bool.random(using: &random)
            let own = somePath()
            let path = somePath()
            let ownParts = own.split(separator: "/")
            let parts = path.split(separator: "/")
            let fits = isPrefix ? parts.starts(with: ownParts) : parts == ownParts
            let verdict = find([route(isPrefix ? .prefix(own) : .exact(own), .post)], .post, path)
            #expect(verdict == (fits ? .route(0) : .noRoute), "\(own) \(path)")
        }
    }
}
