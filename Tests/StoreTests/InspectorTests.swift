// The operator's door beside a desk that works.

import Policy
import Store
import Testing

@Suite struct InspectorTests {
    private let bench = Bench(.sqlite)

    private func inspector() throws -> StoreInspector { try StoreInspector(path: bench.folder.file("keys.db")) }

    /// Keys 1 to 4: in flight, answered, done, unknown; each changed a millisecond after the one before.
    private func fill() {
        let ends: [ClaimEnd?] = [nil, .answered(answer()), .done(status: 204), .unknown]
        for (index, end) in ends.enumerated() {
            bench.now += 1
            _ = bench.ask(claim(index + 1, [index + 1]))
            if let end { _ = bench.ask(settle(index + 1, index + 1, end)) }
        }
    }

    @Test func keysAreListedByStateTheLastChangedFirst() throws {
        fill()
        bench.now += 1
        _ = bench.ask(claim(5, [5]), settle(5, 5, .unknown))
        let inspector = try inspector()
        #expect(try inspector.list(nil, limit: 10).map(\.key) == [5, 4, 3, 2, 1].map(key))
        #expect(try inspector.list(nil, limit: 2).map(\.key) == [5, 4].map(key))
        #expect(try inspector.list(.unknown, limit: 10).map(\.key) == [5, 4].map(key))
        #expect(try inspector.list(.unknown, limit: 1).map(\.key) == [key(5)])
        #expect(try inspector.list(.answered, limit: 10).map(\.status) == [201])
    }

    @Test func oneKeyIsShownWithoutItsAnswer() throws {
        fill()
        let shown = try inspector().show(key(3))
        #expect(shown?.kind == .done && shown?.status == 204 && shown?.route == "pay" && shown?.attempts == 1)
        #expect(shown?.claimedAt == bench.now - 1 && shown?.changedAt == bench.now - 1)
        #expect(try inspector().show(key(9)) == nil)
    }

    @Test func anUnknownOutcomeIsSettledAndTheDeskGoesByIt() throws {
        fill()
        _ = bench.ask(claim(5, [5]), settle(5, 5, .unknown))
        let inspector = try inspector()
        #expect(try inspector.resolve(key(4), as: .done, at: bench.instants, bootID: "boot") == .resolved)
        #expect(try inspector.resolve(key(5), as: .removed, at: bench.instants, bootID: "boot") == .resolved)
        #expect(bench.verdict(claim(14, [4])) == .done(status: 0))
        #expect(bench.verdict(claim(15, [5], content: 8)) == .claimed)
    }

    @Test func onlyAnUnknownOutcomeIsSettled() throws {
        fill()
        let inspector = try inspector()
        for (number, kind) in [(1, StateKind.inFlight), (2, .answered), (3, .done)] {
            for resolution in Resolution.allCases {
                let result = try inspector.resolve(key(number), as: resolution, at: bench.instants, bootID: "boot")
                #expect(result == .isNow(kind))
            }
        }
        #expect(try inspector.resolve(key(9), as: .done, at: bench.instants, bootID: "boot") == .absent)
        #expect(bench.verdict(claim(12, [2])) == .replay(answer()))
    }

    @Test func keysBetweenTwoAreFoundInTheOrderOfTheirBytesBothIncluded() throws {
        fill()
        let inspector = try inspector()
        let sorted = (1...4).map(key).sorted { Self.text($0) < Self.text($1) }
        #expect(try inspector.find(from: sorted[1], through: sorted[2], limit: 9).map(\.key) == Array(sorted[1...2]))
        #expect(try inspector.find(from: sorted[0], through: sorted[3], limit: 2).map(\.key) == Array(sorted[..<2]))
        #expect(try inspector.find(from: sorted[3], through: sorted[3], limit: 1).map(\.key) == [sorted[3]])
        #expect(try inspector.find(from: sorted[3], through: sorted[0], limit: 9).isEmpty)
    }

    /// Letters in the order of the key's bytes.
    private static func text(_ key: KeyDigest) -> String {
        let bytes = key.value.bytes
        return String(String.UnicodeScalarView((0..<Digest32.count).map { UnicodeScalar(bytes[$0]) }))
    }

    @Test func nothingIsMadeWhereThereIsNoFile() {
        #expect(throws: StoreFailure.cannotOpen) { try StoreInspector(path: bench.folder.file("keys.db")) }
        #expect(bench.verdict(claim(1, [1])) == .claimed)
    }
}
