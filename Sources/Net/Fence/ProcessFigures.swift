// What the kernel counts of our process: memory, descriptors, processor time.
// Relies on /proc, whose files are opened once: a process that has given up rights may not open them later. Refuses to
// guess: what the kernel does not say is nil.

internal import CShims

/// The process's figures. Thread-safe for one reader at a time.
package final class ProcessFigures: Sendable {
    private let memory: Descriptor?
    private let descriptors: Descriptor?

    /// Opens what is read later. Called before the process gives up rights.
    package init() {
        memory = Self.open("/proc/self/statm", isDirectory: false)
        descriptors = Self.open("/proc/self/fd", isDirectory: true)
    }

    private static func open(_ path: String, isDirectory: Bool) -> Descriptor? {
        // SAFETY: the path ends in a zero byte for the length of the call.
        let result = unsafe cs_open_figures(path, isDirectory ? 1 : 0)
        return try? Descriptor(result: result, "open")
    }

    /// Bytes of memory that are resident.
    package func residentBytes() -> UInt64? {
        let text = Self.read(memory)
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return nil }
        return pages * UInt64(cs_page_size())
    }

    private static func read(_ file: borrowing Descriptor?) -> String {
        var bytes = [UInt8](repeating: 0, count: 256)
        switch file {
        case .none: return ""
        case .some(let file):
            // SAFETY: the call writes at most the array's count of bytes.
            let count = unsafe cs_read_from_start(file.number, &bytes, bytes.count)
            return count > 0 ? String(decoding: bytes[..<Int(count)], as: UTF8.self) : ""
        }
    }

    /// Descriptors that are open.
    package func openDescriptors() -> UInt64? { Self.count(descriptors) }

    private static func count(_ folder: borrowing Descriptor?) -> UInt64? {
        switch folder {
        case .none: return nil
        case .some(let folder):
            let entries = cs_count_entries(folder.number)
            return entries >= 2 ? UInt64(entries - 2) : nil
        }
    }

    /// Processor time of all threads in nanoseconds.
    package func processorNanoseconds() -> UInt64 { cs_process_nanoseconds() }
}
