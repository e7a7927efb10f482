// The place in memory of a value that one worker owns: a step reaches into it once and passes it on as `inout`.
// A debug build checks at run time that no two reaches overlap, as for every property of an object; a release does
// not, for this one property (decision 0010). Relies on the tests, all of which run with the check, and on the
// compiler's own for what is passed as `inout`. Refuses nothing.

#if DEBUG
/// One value's place in memory.
final class Owned<State: ~Copyable> {
    var state: State

    init(_ state: consuming State) { self.state = state }
}
#else
/// One value's place in memory.
@safe
final class Owned<State: ~Copyable> {
    private let place: UnsafeMutablePointer<State>

    init(_ state: consuming State) {
        // At the beginning of a cache line: what stands first in a state is read most.
        let size = MemoryLayout<State>.size
        let raw = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: max(64, MemoryLayout<State>.alignment))
        // SAFETY: one place, filled before anything reads it, emptied and freed once, in deinit.
        unsafe place = raw.bindMemory(to: State.self, capacity: 1)
        unsafe place.initialize(to: state)
    }

    deinit {
        // SAFETY: nobody refers to the object any more, and the place was filled in init.
        unsafe place.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(place).deallocate()
    }

    var state: State {
        @inline(__always)
        unsafeAddress {
            // SAFETY: the place lives as long as the object; debug builds check that no two accesses overlap.
            unsafe UnsafePointer(place)
        }
        @inline(__always)
        unsafeMutableAddress {
            // SAFETY: as above.
            unsafe place
        }
    }
}
#endif
