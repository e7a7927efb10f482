// Length-prefixed inputs from standard input, answers to standard output. Relies on Glibc's read and write, and on
// libFuzzer's main, which all programs of this build have: it calls the initialiser first, and that does not come back.
// Refuses, by ending, an input that is cut off.

internal import Glibc

/// Called before anything else (llvm.org/docs/LibFuzzer.html, "Startup initialization").
@c(LLVMFuzzerInitialize)
public func initialize(
    _ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?
) -> CInt {
    while let bytes = nextInput() { answer(reading(bytes)) }
    exit(0)
}

/// Never called.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt { 0 }

/// The next input: four bytes of length, lowest last, then the bytes. Nil at the end.
private func nextInput() -> [UInt8]? {
    guard let head = take(4) else { return nil }
    return take(head.reduce(0) { $0 << 8 | Int($1) })
}

private func take(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
        // SAFETY: the pointer is used within the closure only, for the bytes that are not filled yet.
        let got = unsafe bytes.withUnsafeMutableBytes { unsafe read(0, $0.baseAddress! + filled, count - filled) }
        guard got > 0 else { return nil }
        filled += got
    }
    return bytes
}

/// Writes one line.
private func answer(_ line: String) {
    var rest = Array((line + "\n").utf8)[...]
    while !rest.isEmpty {
        // SAFETY: as above.
        let written = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
        guard written > 0 else { exit(1) }
        rest = rest.dropFirst(written)
    }
}
