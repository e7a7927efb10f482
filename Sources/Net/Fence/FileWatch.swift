// Files that are replaced while we run: by writing, by renaming another over them, by a link that is turned (as
// Kubernetes does it with `..data`). Their folders are watched, and what a path leads to is compared.
// Relies on inotify(7). Refuses to say what was changed in a file: it is read again whole.

internal import CShims
internal import Glibc

/// A watch over some files.
package struct FileWatch: ~Copyable {
    let descriptor: Descriptor
    private var watches: [Int32] = []
    private var files: [(path: String, version: Version?)] = []

    /// What tells one content of a path from another.
    private struct Version: Equatable {
        let numbers: [Int64]

        init?(of path: String) {
            var version = cs_version()
            // SAFETY: the path is a C string and the place lives for the length of the call.
            guard unsafe cs_file_version(path, &version) == 0 else { return nil }
            numbers = [
                Int64(bitPattern: version.device), Int64(bitPattern: version.inode), version.size, version.modified,
                version.changed,
            ]
        }
    }

    package init() throws(SystemError) {
        descriptor = try Descriptor(result: cs_inotify(), "inotify_init1")
    }

    /// Watches these files from now on and no others; those that were not watched before as they are now. Folders that
    /// are not there are left out.
    package mutating func watch(_ paths: [String]) {
        for watch in watches { _ = cs_inotify_unwatch(descriptor.number, watch) }
        let folders = Set(paths.flatMap { Self.folders(of: $0) })
        // SAFETY: the path is a C string for the length of the call.
        watches = folders.sorted().map { unsafe cs_inotify_watch(descriptor.number, $0) }.filter { $0 >= 0 }
        let known = files
        files = Set(paths).sorted().map { path in
            (path, known.first { $0.path == path }?.version ?? Version(of: path))
        }
    }

    /// Takes what the kernel has to say; true where something happened in one of the folders.
    package func takeEvents() -> Bool { cs_inotify_drain(descriptor.number) == 1 }

    /// Whether a file is another one than when it was watched first, or when this was asked last. False while one of
    /// them is not there: whoever replaces it is not done.
    package mutating func hasChanged() -> Bool {
        let present = files.map { ($0.path, Version(of: $0.path)) }
        guard present.allSatisfy({ $0.1 != nil }) else { return false }
        let hasChanged = zip(files, present).contains { $0.version != $1.1 }
        files = present
        return hasChanged
    }

    /// The folder in which a path stands, and the one in which the file stands that it leads to.
    package static func folders(of path: String) -> [String] {
        var text = [CChar](repeating: 0, count: 4_097)
        // SAFETY: the path is a C string, and the array has room for as many bytes as it says.
        let found = unsafe cs_real_path(path, &text, text.count) == 0
        let real = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folders = [path] + (found ? [real] : [])
        return Array(Set(folders.map(FileFacts.folder(of:)))).sorted()
    }
}

extension Poller {
    /// Registers a watch over files, level-triggered: reported until its events were taken.
    package func add(_ watch: borrowing FileWatch, _ token: Token) throws(SystemError) {
        try add(watch.descriptor, token)
    }
}
