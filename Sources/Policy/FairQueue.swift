// Requests that wait, served in rounds: each caller with requests has one turn per round, whatever it offers.
// A caller that comes new has its turn at the round's end, so nobody can overtake for ever. Pure; bounded by its owner.

/// One request that waits.
struct WaitingRequest: Sendable, BitwiseCopyable {
    let ticket: PaceTicket
    let caller: UInt64
    /// The last time at which its turn is of use.
    let deadline: UInt64
    /// How long it was ready to wait.
    let patience: UInt64
}

/// A lane per caller; the lanes stand in a ring.
struct FairQueue: Sendable {
    private struct Lane: Sendable, BitwiseCopyable {
        var caller: UInt64
        var requests = Chain()
    }

    private var places = ChainPlaces()
    private var requests: [WaitingRequest] = []
    private var tickets = PlaceIndex()
    private var lanePlaces = ChainPlaces()
    private var lanes: [Lane] = []
    private var callers = PlaceIndex()
    /// The lanes with requests; the first has the next turn.
    private var ring = Chain()
    private(set) var count = 0
    /// No request's deadline lies before this.
    private(set) var earliestDeadline = UInt64.max

    /// How many turns there are until a further request of `caller` has its own, that one included.
    func turn(of caller: UInt64) -> Int {
        guard let own = callers.place(caller) else { return ring.count + 1 }
        // Its k-th request is served in round k, in which those behind it in the ring have had one turn less.
        let round = lanes[own].requests.count + 1
        var turn = round
        var served = round
        var lane = ring.first
        while lane >= 0 {
            if lane == own { served = round - 1 } else { turn += min(lanes[lane].requests.count, served) }
            lane = lanePlaces.next(lane)
        }
        return turn
    }

    /// Adds a request at the end of its caller's lane.
    mutating func append(_ request: WaitingRequest) {
        let place = places.take()
        if place == requests.count { requests.append(request) } else { requests[place] = request }
        tickets.insert(request.ticket.value, place)
        places.append(place, to: &lanes[lane(of: request.caller)].requests)
        count += 1
        earliestDeadline = min(earliestDeadline, request.deadline)
    }

    private mutating func lane(of caller: UInt64) -> Int {
        if let lane = callers.place(caller) { return lane }
        let lane = lanePlaces.take()
        if lane == lanes.count { lanes.append(Lane(caller: caller)) } else { lanes[lane] = Lane(caller: caller) }
        callers.insert(caller, lane)
        lanePlaces.append(lane, to: &ring)
        return lane
    }

    /// Takes the request whose turn it is; nil where none waits.
    mutating func next() -> WaitingRequest? {
        let lane = ring.first
        guard lane >= 0 else { return nil }
        let request = take(lanes[lane].requests.first, from: lane)
        if lanes[lane].requests.count > 0 {
            lanePlaces.remove(lane, from: &ring)
            lanePlaces.append(lane, to: &ring)
        }
        return request
    }

    /// Takes a request out of turn; false where it does not wait.
    mutating func remove(_ ticket: PaceTicket) -> Bool {
        guard let place = tickets.place(ticket.value), let lane = callers.place(requests[place].caller) else {
            return false
        }
        _ = take(place, from: lane)
        return true
    }

    /// Takes the last request of the caller with most, if `caller` would still have fewer than that one with one more.
    mutating func makeRoom(for caller: UInt64) -> WaitingRequest? {
        var longest = ring.first
        var lane = longest
        while lane >= 0 {
            if lanes[lane].requests.count > lanes[longest].requests.count { longest = lane }
            lane = lanePlaces.next(lane)
        }
        let own = callers.place(caller).map { lanes[$0].requests.count } ?? 0
        guard longest >= 0, own + 1 < lanes[longest].requests.count else { return nil }
        return take(lanes[longest].requests.last, from: longest)
    }

    /// Takes all requests whose deadline lies before `time`, and hands them to `body`.
    mutating func removeExpired(before time: UInt64, _ body: (WaitingRequest) -> Void) {
        guard earliestDeadline < time else { return }
        earliestDeadline = .max
        var lane = ring.first
        while lane >= 0 {
            // The lane, and the place, may be gone after a request was taken.
            let nextLane = lanePlaces.next(lane)
            var place = lanes[lane].requests.first
            while place >= 0 {
                let nextPlace = places.next(place)
                let request = requests[place]
                if request.deadline < time {
                    body(take(place, from: lane))
                } else {
                    earliestDeadline = min(earliestDeadline, request.deadline)
                }
                place = nextPlace
            }
            lane = nextLane
        }
    }

    private mutating func take(_ place: Int, from lane: Int) -> WaitingRequest {
        let request = requests[place]
        places.remove(place, from: &lanes[lane].requests)
        places.giveBack(place)
        tickets.remove(request.ticket.value)
        count -= 1
        if lanes[lane].requests.count == 0 {
            lanePlaces.remove(lane, from: &ring)
            lanePlaces.giveBack(lane)
            callers.remove(lanes[lane].caller)
        }
        if count == 0 { earliestDeadline = .max }
        return request
    }
}
