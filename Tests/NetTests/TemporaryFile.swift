// Files of one test.
// Relies on a random name in the folder for temporary files. Refuses nothing.

import Net

/// A file that is removed at the end.
final class TemporaryFile {
    let path: String

    init(_ name: String) {
        path = "/tmp/countersign-net-\(ProcessControl.processID())-\(UInt64.random(in: 0 ... .max))-\(name)"
    }

    deinit { try? ProcessControl.unlink(path) }
}
