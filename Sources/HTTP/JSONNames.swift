// The member names of all objects that are open, so that a name that comes twice in one object is seen. Relies on the
// seeded hash: the cost stays linear whatever names a caller chooses. Holds offsets and hashes only.

/// Where the names of one open object begin, and how they are searched.
struct JSONNameScope: BitwiseCopyable {
    /// Index of the object's first name.
    let first: Int
    /// One bit for each low part of a hash that was seen: most names are new, and this says so without a search.
    var seen: UInt64 = 0
    /// Index of the object's first slot; meaningful from `linearLimit` names on.
    var slots = 0
    /// The number of slots is 2 to the power of this; 0 for none yet.
    var slotBits = 0

    init(first: Int) { self.first = first }
}

/// One member name. Not private within `JSONNames`: Swift 6.3 does not compile a stack of a private type for debugging.
struct JSONName: BitwiseCopyable {
    let hash: UInt64
    /// Where it stands in the body, without quotes.
    let range: ByteRange
}

/// Names of the open objects, innermost last. Only the innermost object gets names, so its names and its slots are
/// always the topmost and can grow in place.
struct JSONNames: ~Copyable {
    /// Up to this many names are compared one by one; beyond, an open-addressed table of slots is kept.
    static let linearLimit = 16
    /// Storage that is kept between scans, in names and in slots.
    private static let keptNames = 16_384

    private var names = PlainStack<JSONName>(capacity: 64)
    /// Per slot 1 + the index of a name within its object, or 0.
    private var slots = PlainStack<UInt32>(capacity: 64)

    /// Names and slots that were looked at since `reset`: the work that could become more than linear.
    private(set) var probes = 0

    init() {}

    mutating func reset() {
        probes = 0
        names.reset(keepingAtMost: Self.keptNames)
        slots.reset(keepingAtMost: Self.keptNames * 4)
    }

    /// Begins an object.
    @inline(__always)
    func open() -> JSONNameScope { JSONNameScope(first: names.count) }

    /// Forgets the names of the innermost object.
    @inline(__always)
    mutating func close(_ scope: JSONNameScope) {
        names.truncate(to: scope.first)
        if scope.slotBits != 0 { slots.truncate(to: scope.slots) }
    }

    /// Adds the name at `range` (without quotes) to the innermost object; false where it has it already.
    @inline(__always)
    mutating func add(_ text: JSONText, _ start: Int, _ end: Int, hash: UInt64, to scope: inout JSONNameScope) -> Bool {
        let bit: UInt64 = 1 << (hash & 63)
        if scope.seen & bit != 0 || names.count - scope.first >= Self.linearLimit {
            return search(text, JSONName(hash: hash, range: ByteRange(start, end)), &scope)
        }
        scope.seen |= bit
        names.push(JSONName(hash: hash, range: ByteRange(start, end)))
        return true
    }

    @inline(never)
    private mutating func search(_ text: JSONText, _ name: JSONName, _ scope: inout JSONNameScope) -> Bool {
        let count = names.count - scope.first
        if count < Self.linearLimit {
            probes += count
            for index in scope.first..<names.count where isSame(text, name, names[index]) { return false }
            names.push(name)
            return true
        }
        if scope.slotBits == 0 || count * 2 >= 1 << scope.slotBits { grow(&scope) }
        let mask = 1 << scope.slotBits - 1
        var slot = Int(truncatingIfNeeded: name.hash >> UInt64(64 - scope.slotBits))
        while case let entry = slots[scope.slots + slot], entry != 0 {
            probes += 1
            if isSame(text, name, names[scope.first + Int(entry) - 1]) { return false }
            slot = (slot + 1) & mask
        }
        names.push(name)
        slots[scope.slots + slot] = UInt32(truncatingIfNeeded: count + 1)
        return true
    }

    /// Gives the innermost object a table that is at least four times as large as its names, or as its last table.
    private mutating func grow(_ scope: inout JSONNameScope) {
        if scope.slotBits == 0 {
            scope.slots = slots.count
            scope.slotBits = 6
        } else {
            slots.truncate(to: scope.slots)
            scope.slotBits += 2
        }
        slots.extend(by: 1 << scope.slotBits, with: 0)
        probes += names.count - scope.first
        let mask = 1 << scope.slotBits - 1
        for index in scope.first..<names.count {
            var slot = Int(truncatingIfNeeded: names[index].hash >> UInt64(64 - scope.slotBits))
            while slots[scope.slots + slot] != 0 {
                probes += 1
                slot = (slot + 1) & mask
            }
            slots[scope.slots + slot] = UInt32(truncatingIfNeeded: index - scope.first + 1)
        }
    }

    private func isSame(_ text: JSONText, _ name: JSONName, _ other: JSONName) -> Bool {
        name.hash == other.hash && text.meansSame(name.range.range, text, other.range.range)
    }
}
