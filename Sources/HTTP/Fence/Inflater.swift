// Takes gzip and zlib codings off a body, by zlib. Relies on the whole coded body being there.
// Refuses more than the limit: a bomb ends at the limit, not after it. The window, which holds plain text, is wiped.

internal import CZlib
internal import Glibc

/// Inflates bodies one at a time. Nothing is kept between two bodies.
package enum Inflater {
    /// Appends the plain form of `coded` to `plain`, at most `limit` bytes of it. The coded body must be exactly one
    /// gzip member, or one zlib stream, with a right checksum and nothing behind it.
    package static func inflate(
        _ coded: Span<UInt8>, _ coding: ContentCoding, into plain: inout ByteBuffer, limit: Int
    ) -> InflateFailure? {
        var stream = unsafe z_stream()
        unsafe stream.zalloc = allocate
        unsafe stream.zfree = release
        // 15 is the largest window; 16 more selects the gzip wrapper and nothing else (zlib.h, inflateInit2).
        // SAFETY: `stream` stays where it is until inflateEnd, since it is only used by the closure below.
        return unsafe withUnsafeMutablePointer(to: &stream) { stream in
            let window: Int32 = coding == .gzip ? 15 + 16 : 15
            guard unsafe cs_inflate_init(stream, window) == Z_OK else { return .broken }
            defer { unsafe inflateEnd(stream) }
            return unsafe coded.withUnsafeBufferPointer { source in
                unsafe run(stream, source, &plain, limit)
            }
        }
    }

    private static func run(
        _ stream: UnsafeMutablePointer<z_stream>, _ source: UnsafeBufferPointer<UInt8>, _ plain: inout ByteBuffer,
        _ limit: Int
    ) -> InflateFailure? {
        guard let base = source.baseAddress, source.count <= Int(UInt32.max) else { return .broken }
        // SAFETY: zlib reads `avail_in` bytes at `next_in` and does not write there.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: base)
        unsafe stream.pointee.avail_in = UInt32(source.count)
        var total = 0
        while true {
            // One byte more than the limit may be asked for: if it comes, the body is too large.
            let wanted = min(16 * 1024, limit - total + 1)
            plain.reserve(wanted)
            var room = plain.free
            // SAFETY: zlib writes at most `avail_out` bytes, which the free room holds.
            let (status, made) = unsafe room.withUnsafeMutableBufferPointer { room in
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = UInt32(wanted)
                let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                return unsafe (status, wanted - Int(stream.pointee.avail_out))
            }
            plain.commit(made)
            total += made
            if total > limit { return .tooLarge }
            switch status {
            case Z_STREAM_END: return unsafe stream.pointee.avail_in == 0 ? nil : .broken
            case Z_OK:
                // Progress was made, or more room is needed; without input left and without output the end is missing.
                if unsafe made == 0 && stream.pointee.avail_in == 0 { return .broken }
            default: return .broken
            }
        }
    }
}

/// zlib's memory, with its size in front so that it can be wiped.
private let allocate: alloc_func = { _, items, size in
    let count = Int(items) * Int(size)
    guard let block = unsafe malloc(count + 16) else { return nil }
    // SAFETY: the block has room for the size in front, and the rest keeps malloc's alignment.
    unsafe block.storeBytes(of: count, as: Int.self)
    return unsafe block + 16
}

private let release: free_func = { _, address in
    guard let address = unsafe address else { return }
    // SAFETY: `allocate` made the block, with its size in front.
    let block = unsafe address - 16
    let count = unsafe block.load(as: Int.self)
    unsafe explicit_bzero(block, count + 16)
    unsafe free(block)
}
