// Files that are replaced, in the ways in which operators and Kubernetes do it.
// Relies on inotify. Every event is waited for by a poller, with a bound.

import Foundation
import Net
import TestSupport
import Testing

@Suite struct FileWatchTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/secret" }

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("secret", "one")
    }

    /// Waits until the watch has seen a change; false where none comes in time.
    private func seesChange(_ watch: inout FileWatch) throws -> Bool {
        var poller = try Poller(maxEvents: 1)
        try poller.add(watch, Token(slot: 0, generation: 0))
        let deadline = Date(timeIntervalSinceNow: 10)
        while Date() < deadline {
            guard try poller.wait(milliseconds: 1_000) > 0 else { return false }
            _ = watch.takeEvents()
            if watch.hasChanged() { return true }
        }
        return false
    }

    private func events(_ watch: borrowing FileWatch) -> Bool { watch.takeEvents() }

    @Test func aFileThatIsWrittenIsSeen() throws {
        var watch = try FileWatch()
        watch.watch([path])
        let isChanged = watch.hasChanged()
        let hasEvents = events(watch)
        #expect(!hasEvents && !isChanged)
        try Data("two, longer".utf8).write(to: URL(fileURLWithPath: path))
        let isSeen = try seesChange(&watch)
        #expect(isSeen)
        let changesAgain = watch.hasChanged()
        #expect(!changesAgain)
    }

    @Test func aFileThatIsRenamedOverItIsSeen() throws {
        var watch = try FileWatch()
        watch.watch([path])
        try folder.write("secret.new", "two")
        #expect(HostCalls.move(folder.path + "/secret.new", over: path))
        let isSeen = try seesChange(&watch)
        #expect(isSeen)
    }

    /// As the kubelet does it: the file is a link through `..data`, which is turned by renaming.
    @Test func aLinkThatIsTurnedIsSeen() throws {
        let files = FileManager.default
        for version in ["..v1", "..v2"] {
            try files.createDirectory(atPath: folder.path + "/" + version, withIntermediateDirectories: false)
            try folder.write(version + "/key", version)
        }
        try files.createSymbolicLink(atPath: folder.path + "/..data", withDestinationPath: "..v1")
        try files.createSymbolicLink(atPath: folder.path + "/key", withDestinationPath: "..data/key")
        var watch = try FileWatch()
        watch.watch([folder.path + "/key"])
        try files.createSymbolicLink(atPath: folder.path + "/..data_tmp", withDestinationPath: "..v2")
        #expect(HostCalls.move(folder.path + "/..data_tmp", over: folder.path + "/..data"))
        let isSeen = try seesChange(&watch)
        #expect(isSeen)
    }

    @Test func aFileThatIsGoneIsWaitedFor() throws {
        var watch = try FileWatch()
        watch.watch([path])
        try FileManager.default.removeItem(atPath: path)
        let isSeenMissing = watch.hasChanged()
        #expect(!isSeenMissing)
        try folder.write("secret", "two")
        let isSeen = try seesChange(&watch)
        #expect(isSeen)
    }

    @Test func anotherFileOfTheFolderIsNoChange() throws {
        var watch = try FileWatch()
        watch.watch([path])
        try folder.write("other", "x")
        let hasEvents = events(watch)
        let hasChanged = watch.hasChanged()
        #expect(hasEvents && !hasChanged)
    }

    @Test func foldersAreThoseOfTheNameAndOfTheFile() throws {
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/hostname")
        #expect(FileWatch.folders(of: link).contains("/etc") && FileWatch.folders(of: link).count == 2)
        #expect(FileWatch.folders(of: "/x") == ["/"] && FileWatch.folders(of: "x") == ["."])
    }
}
