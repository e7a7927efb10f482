// libFuzzer's entry: takes its bytes, hands them to the target as an array. A broken property ends the process with its
// name. Relies on libFuzzer calling from one thread. Refuses to go on after a finding: libFuzzer keeps the input.

internal import CFuzzer
internal import Glibc

// nonisolated(unsafe): libFuzzer's one thread writes and reads it.
private nonisolated(unsafe) var current: [UInt8] = []

/// Called by libFuzzer for every input (llvm.org/docs/LibFuzzer.html, "Fuzz Target").
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the length of the call, and there is no other thread.
    unsafe current = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    countersign_fuzz_one()
    return 0
}

/// The input that is to be checked.
package func input() -> [UInt8] {
    // SAFETY: as above.
    unsafe current
}

/// A property that must hold for every input.
@inline(__always)
package func expect(_ holds: Bool, _ property: @autoclosure () -> String) {
    if !holds { finding(property()) }
}

/// Names the broken property on standard error and aborts, which libFuzzer takes for a crash.
@inline(never)
package func finding(_ property: String) -> Never {
    let text = "FINDING: \(property)\n"
    // SAFETY: the bytes are borrowed for the length of the call.
    _ = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe write(2, $0.baseAddress, $0.count) }
    abort()
}
