// Holds requests back for a bounded time so that an upstream's limits are never broken: rate with burst, and requests
// at once. Fair between callers; refuses at once whoever would wait too long. One per credential and upstream.
// Pure: time comes in as an argument, monotonic nanoseconds. See docs/decisions/0006-limits.md.

/// The pace of one credential at one upstream.
///
/// In any window of `w` nanoseconds at most `burst + w * count / perNanoseconds` requests are told to go and go.
package struct Pacer: Sendable {
    /// The longest hold that an upstream is granted, in nanoseconds: 1 h.
    package static let maxHold: UInt64 = 3_600_000_000_000
    /// Requests on their way that are looked at for an estimate.
    private static let looks = 64

    package private(set) var settings: PaceSettings
    private var limit: RateLimit
    private var state = RateState.unused
    private var share: PaceShare
    /// Workers read their clocks on their own: time never goes back here.
    private var latest: UInt64 = 0

    private var queue = FairQueue()
    /// Told to make room for other callers, and not yet told so.
    private var pushedOut: [PaceNotice] = []

    /// The requests on their way, oldest first.
    private var running = Chain()
    private var places = ChainPlaces()
    private var startedAt: [UInt64] = []
    private var tickets = PlaceIndex()
    /// How long requests are on their way, in nanoseconds: a mean in which the last counts an eighth.
    private var meanTime: UInt64 = 0
    /// The last that was told to go, and the state before it.
    private var last: (ticket: PaceTicket, before: RateState)?

    /// `settings.isPossible` holds.
    package init(_ settings: PaceSettings) {
        precondition(settings.isPossible, "a pace is checked where it is read")
        self.settings = settings
        limit = RateLimit(settings.rate)
        share = PaceShare(interval: limit.intervalNanoseconds)
    }

    /// Goes on under other settings, which are possible: nothing that waits or is on its way is forgotten. What waits
    /// beyond a shorter queue stays, and so does a rest that the upstream asked for. What the old rate made somebody
    /// wait is no more than what the new one would. `tick` is due.
    package mutating func adopt(_ settings: PaceSettings) {
        precondition(settings.isPossible, "a pace is checked where it is read")
        self.settings = settings
        limit = RateLimit(settings.rate)
        share.adopt(interval: limit.intervalNanoseconds)
        last = nil
        let used = limit.toleranceNanoseconds
        if share.restsUntil > latest {
            state = RateState(nanoseconds: share.restsUntil + used, parts: 0)
        } else {
            state = min(state, RateState(nanoseconds: latest + used + limit.intervalNanoseconds, parts: 0))
        }
    }

    /// Requests that wait.
    package var waitingCount: Int { queue.count }

    /// Requests that were told to go and have not ended.
    package var runningCount: Int { running.count }

    /// The part of the pace that is in use at `now`, in percent, rounded down: 100 unless the upstream asked for less.
    package func sharePercent(at now: UInt64) -> Int { Int(share.value(at: now) * 100 / PaceShare.full) }

    /// Asks for a request of `caller` that is of no use after `deadline` (`.max` for none). `wait`: see `tick`.
    package mutating func ask(_ ticket: PaceTicket, caller: UInt64, now: UInt64, deadline: UInt64) -> PaceAnswer {
        latest = max(latest, now)
        if queue.count == 0 && running.count < settings.concurrency && limit.wait(state, at: latest) == 0 {
            start(ticket)
            return .go
        }
        let patience = min(UInt64(settings.maxWait), deadline > latest ? deadline - latest : 0)
        let expected = expectedWait(turn: queue.turn(of: caller))
        let untilRoom = queue.count >= settings.queue ? max(1, expectedWait(turn: 1)) : 0
        guard expected <= patience else { return .refuse(retryAfter: max(untilRoom, expected - patience)) }
        if untilRoom > 0 {
            guard let other = queue.makeRoom(for: caller) else { return .refuse(retryAfter: untilRoom) }
            pushedOut.append(PaceNotice(ticket: other.ticket, answer: .refuse(retryAfter: untilRoom)))
        }
        queue.append(
            WaitingRequest(ticket: ticket, caller: caller, deadline: latest + patience, patience: patience))
        return .wait
    }

    /// A request that was told to go has ended, however: its place is free. `tick` is due.
    package mutating func finished(_ ticket: PaceTicket, now: UInt64) {
        latest = max(latest, now)
        guard let place = tickets.place(ticket.value) else {
            preconditionFailure("only a request that was told to go ends")
        }
        let time = latest - startedAt[place]
        if meanTime == 0 {
            meanTime = time
        } else if time > meanTime {
            meanTime += (time - meanTime) / 8
        } else {
            meanTime -= (meanTime - time) / 8
        }
        end(ticket, at: place)
    }

    /// A request's caller left before anything was sent. One that waits, waits no longer; one that was told to go gives
    /// its place back, and its part of the rate if it was the last; one that was refused meanwhile changes nothing.
    /// `tick` is due.
    package mutating func cancel(_ ticket: PaceTicket) {
        if queue.remove(ticket) { return }
        pushedOut.removeAll { $0.ticket == ticket }
        guard let place = tickets.place(ticket.value) else { return }
        // Only the last can be undone: the times of later ones may rest on an earlier one.
        if let last, last.ticket == ticket {
            state = last.before
            self.last = nil
        }
        end(ticket, at: place)
    }

    /// Says who may go now and who need not wait any longer: appends a notice for each. To be called at `nextWake`.
    package mutating func tick(now: UInt64, into notices: inout [PaceNotice]) {
        latest = max(latest, now)
        notices.append(contentsOf: pushedOut)
        pushedOut.removeAll(keepingCapacity: true)
        expire(into: &notices)
        while running.count < settings.concurrency && limit.wait(state, at: latest) == 0, let request = queue.next() {
            start(request.ticket)
            notices.append(PaceNotice(ticket: request.ticket, answer: .go))
        }
        // Each that goes makes the next turn later, perhaps too late for somebody.
        expire(into: &notices)
    }

    /// When `tick` is due, if nothing happens before: `now` where it is already; nil where nobody waits.
    package func nextWake(now: UInt64) -> UInt64? {
        let now = max(latest, now)
        guard pushedOut.isEmpty else { return now }
        guard queue.count > 0 else { return nil }
        let turn = max(now, limit.admittedFrom(state))
        if queue.earliestDeadline < turn { return now }
        if running.count < settings.concurrency { return turn }
        let overdue = queue.earliestDeadline.addingReportingOverflow(1)
        return overdue.overflow ? nil : overdue.partialValue
    }

    /// The upstream answered 429 or 503 and asked for so many nanoseconds of rest (0 where it said no time; at most
    /// `maxHold` counts). Nobody goes before that, and the burst is used up; then the pace is half of what it was, and
    /// grows by a sixteenth of the whole per step (`PaceShare`).
    package mutating func upstreamAsked(wait: UInt64, now: UInt64) {
        latest = max(latest, now)
        let until = latest + min(wait, Self.maxHold)
        share.halve(at: latest, until: until)
        state = max(state, RateState(nanoseconds: until + limit.toleranceNanoseconds, parts: 0))
        last = nil
    }

    private mutating func start(_ ticket: PaceTicket) {
        let place = places.take()
        if place == startedAt.count { startedAt.append(latest) } else { startedAt[place] = latest }
        tickets.insert(ticket.value, place)
        places.append(place, to: &running)
        last = (ticket, state)
        let share = share.value(at: latest)
        state =
            share == PaceShare.full
            ? limit.charged(state, at: latest)
            : RateState(nanoseconds: max(state.nanoseconds + 1, latest) + interval(share), parts: 0)
    }

    private mutating func end(_ ticket: PaceTicket, at place: Int) {
        tickets.remove(ticket.value)
        places.remove(place, from: &running)
        places.giveBack(place)
    }

    /// The time between two requests at a share of the pace, rounded up.
    private func interval(_ share: UInt64) -> UInt64 {
        (limit.intervalNanoseconds * PaceShare.full + share - 1) / share
    }

    /// Refuses those whose deadline is over or lies before the next turn, whoever has it.
    private mutating func expire(into notices: inout [PaceNotice]) {
        let turn = max(latest, limit.admittedFrom(state))
        guard queue.earliestDeadline < turn else { return }
        var expired: [WaitingRequest] = []
        queue.removeExpired(before: turn) { expired.append($0) }
        // As if each came back behind all that still wait: never too short.
        let expected = expectedWait(turn: queue.count + 1)
        for request in expired {
            let retryAfter = expected > request.patience ? expected - request.patience : 1
            notices.append(PaceNotice(ticket: request.ticket, answer: .refuse(retryAfter: retryAfter)))
        }
    }

    /// How long until `turn` requests have gone, in nanoseconds: as the rate has it, and as the requests on their way
    /// are expected to end.
    private func expectedWait(turn: Int) -> UInt64 {
        // Rounded up for each: a turn begins at a whole nanosecond, and a burst of 1 does not bring the rest back.
        var ready = max(state, RateState(nanoseconds: latest, parts: 0))
        ready.nanoseconds += interval(share.value(at: latest)) * UInt64(turn - 1)
        return max(limit.wait(ready, at: latest), expectedPlace(turn: turn))
    }

    /// Whose turn it is goes as soon as so many requests have ended: the oldest first, each after the mean time.
    private func expectedPlace(turn: Int) -> UInt64 {
        let ends = turn - (settings.concurrency - running.count)
        guard ends > 0 && meanTime > 0 else { return 0 }
        var place = running.first
        for _ in 0..<min((ends - 1) % settings.concurrency, Self.looks) where place >= 0 { place = places.next(place) }
        let end = place >= 0 ? startedAt[place] + meanTime : latest + meanTime
        return end - min(end, latest) + UInt64((ends - 1) / settings.concurrency) * meanTime
    }
}
