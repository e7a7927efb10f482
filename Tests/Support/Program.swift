// A program under test: started from where the tests were built, its output kept, its lines waited for, stopped by id.
// Relies on Child (Fence). Refuses to wait for ever; a program that does not end is killed and that is told.

package import Foundation

/// A failure of the test's own tools, with a sentence.
package struct SupportFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// What the program wrote and how it ended, for several threads.
private final class Record: @unchecked Sendable {
    // @unchecked Sendable: every access is under `changed`.
    let changed = NSCondition()
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var end: ProgramEnd?
    var openPipes = 2
}

/// One running program.
package final class Program: Sendable {
    package enum Stream: Sendable { case output, errors }

    private let record = Record()
    private let child: Child
    private let name: String

    /// Process id, for messages and /proc.
    package var id: Int32 { child.id }

    /// Starts the program at `path`, or one that the build made by its name. Its standard output is read from the
    /// moment that `reading` is opened.
    package init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], reading: Gate? = nil
    ) throws {
        let full = path.hasPrefix("/") ? path : Program.buildFolder.appendingPathComponent(path).path
        var variables = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        // A run under a sanitizer says by these where its findings go.
        for (name, value) in ProcessInfo.processInfo.environment where name.hasSuffix("SAN_OPTIONS") {
            variables[name] = value
        }
        variables.merge(environment) { $1 }
        let (started, errno) = Child.start(full, arguments, environment: variables)
        guard let started else { throw SupportFailure("\(full) could not be started: errno \(errno)") }
        child = started
        name = path
        let record = record
        Thread.detachNewThread {
            reading?.pass(within: 120)
            Program.keep(started.output, .output, record)
        }
        Thread.detachNewThread { Program.keep(started.errors, .errors, record) }
        Thread.detachNewThread {
            started.waitUntilEnded()
            record.changed.lock()
            record.end = started.reap()
            record.changed.broadcast()
            record.changed.unlock()
        }
    }

    deinit { signal(.kill) }

    /// Where the tests and the programs were built; COUNTERSIGN_BIN_DIR says it otherwise.
    package static var buildFolder: URL {
        if let folder = ProcessInfo.processInfo.environment["COUNTERSIGN_BIN_DIR"] {
            return URL(fileURLWithPath: folder)
        }
        return URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    private static func keep(_ descriptor: Int32, _ stream: Stream, _ record: Record) {
        Child.drain(descriptor) { bytes in
            record.changed.lock()
            switch stream {
            case .output: record.output += bytes
            case .errors: record.errors += bytes
            }
            record.changed.broadcast()
            record.changed.unlock()
        }
        record.changed.lock()
        record.openPipes -= 1
        record.changed.broadcast()
        record.changed.unlock()
    }

    /// Waits under the lock until `find` has an answer.
    private func wait<T>(_ seconds: Double, _ find: (Record) -> T?) -> T? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        record.changed.lock()
        defer { record.changed.unlock() }
        while true {
            if let found = find(record) { return found }
            guard record.changed.wait(until: deadline) else { return find(record) }
        }
    }

    /// The first whole line that `fits`.
    package func line(
        of stream: Stream, within seconds: Double = 30, where fits: (String) -> Bool
    ) throws -> String {
        enum Look { case found(String), ended }
        let look: Look? = wait(seconds) { record in
            var lines = Program.text(stream == .output ? record.output : record.errors).components(separatedBy: "\n")
            lines.removeLast()
            if let line = lines.first(where: fits) { return .found(line) }
            return record.end != nil && record.openPipes == 0 ? .ended : nil
        }
        if case .found(let line)? = look { return line }
        throw SupportFailure("\(name) did not write the line that was waited for; it wrote: \(output)\(errors)")
    }

    /// Waits until `count` whole lines fit, and gives them; throws where they do not come in time.
    package func lines(
        of stream: Stream, count: Int, within seconds: Double = 30, where fits: (String) -> Bool
    ) throws -> [String] {
        let found: [String]? = wait(seconds) { record in
            var lines = Program.text(stream == .output ? record.output : record.errors).components(separatedBy: "\n")
            lines.removeLast()
            let fitting = lines.filter(fits)
            return fitting.count >= count ? fitting : nil
        }
        if let found { return found }
        throw SupportFailure("\(name) did not write \(count) of the lines waited for; it wrote: \(output)\(errors)")
    }

    /// How it ended; nil where it still runs when the time is over. Both pipes are read to their end.
    package func end(within seconds: Double = 20) -> ProgramEnd? {
        wait(seconds) { $0.openPipes == 0 ? $0.end : nil }
    }

    package func signal(_ signal: ProgramSignal) {
        record.changed.lock()
        defer { record.changed.unlock() }
        if record.end == nil { child.send(signal) }
    }

    /// SIGTERM, and SIGKILL after 20 s.
    @discardableResult
    package func stop() -> ProgramEnd? {
        signal(.terminate)
        if let end = end() { return end }
        signal(.kill)
        return self.end()
    }

    package var output: String { wait(0) { Program.text($0.output) } ?? "" }
    package var errors: String { wait(0) { Program.text($0.errors) } ?? "" }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Resident memory in KiB, as the kernel counts it, but for the pages of files: how many of the program's own are
    /// mapped at once is the page cache's affair. nil once it has ended.
    package var residentKiB: Int? {
        let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let lines = status?.split(separator: "\n").filter { $0.hasPrefix("RssAnon:") || $0.hasPrefix("RssShmem:") }
        let words = lines?.map { $0.split(whereSeparator: \.isWhitespace) }
        guard let counts = words?.compactMap({ Int($0[1]) }), counts.count == 2 else { return nil }
        return counts[0] + counts[1]
    }

    /// Runs a program to its end and gives what it wrote to standard output; throws where it fails.
    package static func run(_ path: String, _ arguments: [String]) throws -> String {
        let program = try Program(path, arguments)
        guard program.end(within: 60) == .code(0) else {
            throw SupportFailure("\(path) failed: \(program.errors)")
        }
        return program.output
    }
}

/// A folder of a test's own, removed with it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cs-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file that only its owner may read; gives its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        guard
            FileManager.default.createFile(
                atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw SupportFailure("\(file) cannot be written") }
        return file
    }
}
