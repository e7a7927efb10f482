// The processor time of the calling thread: what work cost, whatever else the machine was doing.

import Glibc

/// Processor time that the calling thread has used, in nanoseconds.
public func threadCPUNanoseconds() -> UInt64 {
    var time = timespec()
    // SAFETY: the call writes one timespec, and this clock exists on every Linux.
    unsafe precondition(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0, "the thread's clock is there")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
