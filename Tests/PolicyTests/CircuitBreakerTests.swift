// The circuit breaker under a clock of the test's own.

import Policy
import Testing

@Suite struct CircuitBreakerTests {
    private func breaker(failures: Int = 3, open: Int = 1_000) -> CircuitBreaker {
        var settings = BreakerSettings()
        settings.failures = failures
        settings.openMilliseconds = open
        return CircuitBreaker(settings)
    }

    @Test func opensAtTheLastFailureInARow() {
        var breaker = breaker()
        for _ in 0..<2 { breaker.failed(at: 0, asProbe: false) }
        #expect(breaker.admit(at: 0) == .pass)
        breaker.succeeded(asProbe: false)
        for _ in 0..<2 { breaker.failed(at: 0, asProbe: false) }
        #expect(breaker.admit(at: 0) == .pass)
        breaker.failed(at: 0, asProbe: false)
        #expect(breaker.admit(at: 0) == .refuse && !breaker.isClosed)
    }

    @Test func letsOneProbePassWhenItsTimeIsOver() {
        var breaker = breaker(failures: 1)
        breaker.failed(at: 500, asProbe: false)
        #expect(breaker.admit(at: 1_499) == .refuse)
        #expect(breaker.admit(at: 1_500) == .probe)
        #expect(breaker.admit(at: 1_500) == .refuse)
        #expect(breaker.admit(at: 99_999) == .refuse)
        breaker.succeeded(asProbe: true)
        #expect(breaker.admit(at: 99_999) == .pass)
    }

    @Test func aFailedProbeOpensItAgain() {
        var breaker = breaker(failures: 1)
        breaker.failed(at: 0, asProbe: false)
        #expect(breaker.admit(at: 1_000) == .probe)
        breaker.failed(at: 1_000, asProbe: true)
        #expect(breaker.admit(at: 1_999) == .refuse)
        #expect(breaker.admit(at: 2_000) == .probe)
    }

    @Test func requestsFromBeforeDecideNothing() {
        var breaker = breaker(failures: 1)
        breaker.failed(at: 0, asProbe: false)
        breaker.succeeded(asProbe: false)
        #expect(breaker.admit(at: 10) == .refuse)
        breaker.failed(at: 900, asProbe: false)
        #expect(breaker.admit(at: 1_000) == .probe)
        breaker.failed(at: 1_000, asProbe: false)
        breaker.succeeded(asProbe: false)
        #expect(breaker.admit(at: 1_001) == .refuse)
        breaker.succeeded(asProbe: true)
        #expect(breaker.admit(at: 1_001) == .pass)
    }

    @Test func aLostProbeLetsTheNextOneTry() {
        var breaker = breaker(failures: 1)
        breaker.failed(at: 0, asProbe: false)
        #expect(breaker.admit(at: 1_000) == .probe)
        breaker.probeWasLost(at: 1_100)
        #expect(breaker.admit(at: 1_100) == .probe)
    }
}
