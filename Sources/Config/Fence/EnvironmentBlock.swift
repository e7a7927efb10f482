// The process's environment as the kernel put it there: read in place, and a secret's value overwritten once it was
// taken, so that neither /proc/PID/environ nor a child has it.
// Relies on nobody else changing the environment: it is read on the main thread. Refuses nothing.

internal import Glibc
internal import HTTP

enum EnvironmentBlock {
    /// The value of a variable; of several with one name the first, as getenv(3).
    static func value(of name: String) -> String? {
        guard let value = unsafe find(name) else { return nil }
        // SAFETY: the value ends in a zero byte.
        return unsafe String(cString: value)
    }

    /// Appends the value's bytes to `buffer` and overwrites them where they were; false where there is no such one.
    static func take(_ name: String, into buffer: inout ByteBuffer) -> Bool {
        guard let value = unsafe find(name) else { return false }
        // SAFETY: the value ends in a zero byte, which stays; the block is writable (it is part of our stack).
        let count = unsafe strlen(value)
        let bytes = unsafe UnsafeMutableRawPointer(value).assumingMemoryBound(to: UInt8.self)
        buffer.append(unsafe Span(_unsafeStart: bytes, count: count))
        unsafe explicit_bzero(value, count)
        return true
    }

    private static func find(_ name: String) -> UnsafeMutablePointer<CChar>? {
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")), !name.utf8.contains(0) else { return nil }
        // SAFETY: getenv gives a pointer into the environment, or nil; the name is a C string during the call.
        return unsafe getenv(name)
    }
}
