// What the kernel counts of a running program: processor time, threads, descriptors. For tests of what a fault costs.
// Relies on /proc. Gives nil once the program has ended, and for descriptors where their folder may not be read.

internal import Foundation

extension Program {
    /// The fields of /proc/ID/stat behind the command's name: the first is the state.
    private var statistics: [Substring]? {
        let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        guard let text, let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    /// Processor time that all its threads have used, in milliseconds, in steps of a tick (10 ms).
    package var processorMilliseconds: Int? {
        guard let fields = statistics, fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12])
        else { return nil }
        return (user + system) * 10
    }

    /// Its resident memory in bytes.
    package var residentBytes: Int? { statistics.flatMap { $0.count > 21 ? Int($0[21]) : nil }.map { $0 * 4_096 } }

    /// The most that it ever had resident, in bytes.
    package var peakResidentBytes: Int? {
        let text = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = text?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1_024 }
    }

    /// Its threads.
    package var threads: Int? { statistics.flatMap { $0.count > 17 ? Int($0[17]) : nil } }

    /// Its open descriptors; nil where only root may look, and we are not.
    package var descriptors: Int? {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd"))?.count
    }
}
