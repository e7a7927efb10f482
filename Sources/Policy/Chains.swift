// Doubly linked lists of numbered places, and an index from a 64-bit name to a place: what a fair queue is made of.
// Both reuse their storage: nothing is allocated when warm. Relies on names that no outsider chooses freely.

/// One list: its ends and its length.
struct Chain: Sendable, BitwiseCopyable {
    fileprivate(set) var first = -1
    fileprivate(set) var last = -1
    fileprivate(set) var count = 0
}

/// Places, each free or in one chain at most. The payload lies in an array of the owner's, at the same number.
struct ChainPlaces: Sendable {
    private struct Link: Sendable, BitwiseCopyable {
        var previous = -1
        var next = -1
    }

    private var links: [Link] = []
    private var unused: [Int] = []

    /// A free place; `links.count` where there was none, and then the owner's array grows by one.
    mutating func take() -> Int {
        if let place = unused.popLast() { return place }
        links.append(Link())
        return links.count - 1
    }

    /// Gives back a place that is in no chain.
    mutating func giveBack(_ place: Int) { unused.append(place) }

    /// The place behind `place` in its chain, -1 at the end.
    func next(_ place: Int) -> Int { links[place].next }

    mutating func append(_ place: Int, to chain: inout Chain) {
        links[place] = Link(previous: chain.last, next: -1)
        if chain.last >= 0 { links[chain.last].next = place } else { chain.first = place }
        chain.last = place
        chain.count += 1
    }

    mutating func remove(_ place: Int, from chain: inout Chain) {
        let link = links[place]
        if link.previous >= 0 { links[link.previous].next = link.next } else { chain.first = link.next }
        if link.next >= 0 { links[link.next].previous = link.previous } else { chain.last = link.previous }
        chain.count -= 1
    }
}

/// Names to places: an open hash table that grows to what is in it at once.
struct PlaceIndex: Sendable {
    private struct Slot: Sendable, BitwiseCopyable {
        var name: UInt64 = 0
        /// -1 for a free slot.
        var place = -1
    }

    private var slots: [Slot] = Array(repeating: Slot(), count: 16)
    private var count = 0

    private func home(_ name: UInt64) -> Int {
        // Fibonacci hashing: the upper bits of the product are mixed well enough for counters.
        let mixed = name &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: (mixed ^ mixed >> 32) >> 8) & (slots.count - 1)
    }

    private func find(_ name: UInt64) -> Int {
        var index = home(name)
        while slots[index].place >= 0 && slots[index].name != name { index = (index + 1) & (slots.count - 1) }
        return index
    }

    /// The place of `name`, nil where it has none.
    func place(_ name: UInt64) -> Int? {
        let place = slots[find(name)].place
        return place >= 0 ? place : nil
    }

    /// Gives `name`, which has none, a place.
    mutating func insert(_ name: UInt64, _ place: Int) {
        if (count + 1) * 2 > slots.count { grow() }
        let index = find(name)
        precondition(slots[index].place < 0, "a name has one place")
        slots[index] = Slot(name: name, place: place)
        count += 1
    }

    /// Forgets `name`, which has a place.
    mutating func remove(_ name: UInt64) {
        var hole = find(name)
        precondition(slots[hole].place >= 0, "only a known name is forgotten")
        let mask = slots.count - 1
        var other = (hole + 1) & mask
        while slots[other].place >= 0 {
            // Those behind move up where the hole lies on their way, so that no search ends before its name.
            if (other &- home(slots[other].name)) & mask >= (other &- hole) & mask {
                slots[hole] = slots[other]
                hole = other
            }
            other = (other + 1) & mask
        }
        slots[hole] = Slot()
        count -= 1
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for slot in old where slot.place >= 0 { slots[find(slot.name)] = slot }
    }
}
