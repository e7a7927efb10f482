// A stack of plain values that keeps its storage from one use to the next, without the reference count and the
// uniqueness test of an array. Relies on the allocator. Refuses, by precondition, every access outside of what was
// pushed. Storage that is given back was wiped: names and keys of a body may lie in it.

internal import Glibc

/// A reusable stack; one owner.
@safe
package struct PlainStack<Element: BitwiseCopyable>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    package private(set) var count = 0
    /// At most this many elements were written since the last wipe, beside those below `count`.
    private var high = 0

    /// A stack with room for `capacity` (at least 1) elements.
    init(capacity: Int) {
        precondition(capacity > 0, "a stack needs room")
        // SAFETY: fresh storage of `capacity` elements; only elements below `count` are ever read.
        unsafe base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit {
        // SAFETY: `base` was allocated by this owner, with room for `written` elements; plain values need no
        // deinitialisation. explicit_bzero is not optimised away, as a plain store before the end would be.
        unsafe explicit_bzero(base, written * MemoryLayout<Element>.stride)
        unsafe base.deallocate()
    }

    package subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(index >= 0 && index < count, "an index lies within the stack")
            // SAFETY: checked above; everything below `count` was written by `push` or `extend`.
            return unsafe base[index]
        }
        @inline(__always) set {
            precondition(index >= 0 && index < count, "an index lies within the stack")
            // SAFETY: as above.
            unsafe base[index] = newValue
        }
    }

    @inline(__always)
    mutating func push(_ element: Element) {
        if count == capacity { grow(to: capacity * 2) }
        // SAFETY: `grow` made room for one more.
        unsafe base[count] = element
        count += 1
    }

    @inline(__always)
    mutating func pop() -> Element {
        precondition(count > 0, "an empty stack is not popped")
        high = max(high, count)
        count -= 1
        // SAFETY: the element was pushed and its storage is still there.
        return unsafe base[count]
    }

    /// Drops elements until `count` are left.
    @inline(__always)
    mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "a stack is not truncated to more than it holds")
        high = max(high, self.count)
        self.count = count
    }

    /// Pushes `element` `number` times.
    mutating func extend(by number: Int, with element: Element) {
        precondition(number >= 0, "a stack is not extended backwards")
        if capacity - count < number { grow(to: max(capacity * 2, count + number)) }
        // SAFETY: room for `number` elements was made above.
        unsafe (base + count).initialize(repeating: element, count: number)
        count += number
    }

    private var written: Int { max(high, count) }

    /// Empties the stack and overwrites whatever was pushed since the last wipe.
    mutating func wipe() {
        // SAFETY: no more than `capacity` elements were ever written.
        unsafe explicit_bzero(base, written * MemoryLayout<Element>.stride)
        count = 0
        high = 0
    }

    /// Empties the stack, and gives its storage back where that grew beyond `limit` elements.
    mutating func reset(keepingAtMost limit: Int) {
        truncate(to: 0)
        if capacity > limit { grow(to: limit) }
    }

    @inline(never)
    private mutating func grow(to wanted: Int) {
        // SAFETY: fresh storage takes the `count` elements (never more than `wanted`); the old one is freed once.
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
        unsafe fresh.initialize(from: base, count: count)
        unsafe explicit_bzero(base, written * MemoryLayout<Element>.stride)
        unsafe base.deallocate()
        unsafe base = fresh
        capacity = wanted
        high = count
    }
}

extension PlainStack {
    /// What is on the stack.
    var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            // SAFETY: the first `count` elements were written; the span cannot outlive the borrow of self.
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// A copy of what is on the stack; not for the request path.
    package var array: [Element] {
        var copy: [Element] = []
        for index in 0..<count { copy.append(self[index]) }
        return copy
    }
}
