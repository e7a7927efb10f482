// The oracle of the hostile corpus: an upstream that keeps every byte it receives, cut into requests by the one form
// that the gateway writes. Relies on FakeUpstream for sockets and threads. Refuses nothing: what is not of that form is
// kept too.

import Foundation
import TestSupport

/// What came, byte for byte.
final class UpstreamRecord: @unchecked Sendable {
    // @unchecked Sendable: every access is under the lock.
    private let lock = NSLock()
    private var whole: [String] = []
    private var total = 0
    private var accounted = 0

    /// More bytes came on some connection.
    func count(_ bytes: Int) { lock.withLock { total += bytes } }

    /// One whole request was cut off.
    func keep(_ request: String) {
        lock.withLock {
            whole.append(request)
            accounted += request.unicodeScalars.count
        }
    }

    /// The requests since the last call, and how many bytes came that belong to none.
    func take() -> (requests: [String], stray: Int) {
        lock.withLock {
            defer { whole = [] }
            return (whole, total - accounted)
        }
    }
}

extension FakeUpstream {
    /// An upstream that records and answers each request with its own request line.
    static func recording(in record: UpstreamRecord) throws -> FakeUpstream {
        try FakeUpstream { conversation in
            var buffer: [UInt8] = []
            while case .bytes(let bytes) = conversation.wire.receive(within: 60_000) {
                record.count(bytes.count)
                buffer += bytes
                while let length = lengthOfFirstRequest(buffer) {
                    let request = latin1(buffer.prefix(length))
                    buffer.removeFirst(length)
                    record.keep(request)
                    let line = request.prefix { $0 != "\r\n" }
                    let size = line.unicodeScalars.count
                    conversation.send(
                        "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n\(line.hasPrefix("HEAD") ? "" : line)")
                }
            }
        }
    }
}

/// Bytes of the request at the front; nil while it is not whole, and for whatever has another form than the gateway's:
/// lines ended by CR LF, one Content-Length.
func lengthOfFirstRequest(_ bytes: [UInt8]) -> Int? {
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else { return nil }
    let lines = latin1(bytes[..<end]).components(separatedBy: "\r\n").dropFirst()
    let lengths = lines.filter { $0.lowercased().hasPrefix("content-length:") }
    guard lengths.count == 1, let length = Int(lengths[0].dropFirst(16)), length >= 0 else { return nil }
    return bytes.count >= end + 4 + length ? end + 4 + length : nil
}
