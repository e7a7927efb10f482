// Looks at what the gateway stands on: files and their rights, the store, the user, limits, the kernel.
// Relies on Net for facts and on KeyBook for the store. Refuses to change anything.

internal import Config
internal import Net
internal import Policy
internal import Store

/// The look at this machine, for one configuration.
struct HostCheckup {
    /// Keys of unknown outcome that are counted, at most.
    static let countedKeys = 10_000

    private let settings: Settings
    /// Who the gateway will be; nil where that user does not exist.
    private let uid: UInt32?
    private let groups: [UInt32]
    private(set) var findings: [DoctorFinding] = []

    init(_ settings: Settings) {
        self.settings = settings
        guard let user = settings.process.user else {
            uid = Privileges.userID
            groups = [Privileges.groupID]
            return
        }
        let account = try? Account(user: user, group: settings.process.group)
        uid = account?.uid
        groups = account.map { [$0.gid] } ?? []
    }

    mutating func run() {
        lookAtUser()
        lookAtFiles()
        lookAtStore()
        lookAtSockets()
        lookAtLimits()
        lookAtKernel()
    }

    private mutating func lookAtUser() {
        switch (settings.process.user, uid) {
        case (let user?, nil):
            findings.append(.fail("user", user, "there is no such user or group", "Make it, or correct user and group"))
        case (let user?, let uid?): findings.append(.ok("user", user, "is number \(uid)"))
        case (nil, 0?):
            findings.append(
                .warn("user", "root", "the gateway would stay root", "Set user, or start it as another user"))
        case (nil, let uid?): findings.append(.ok("user", "\(uid)", "is not root"))
        case (nil, nil): break
        }
    }

    // MARK: - Files

    private mutating func lookAtFiles() {
        let files = settings.files
        let trust = files.trust.filter { !files.secrets.contains($0) }
        for path in [files.configuration].compactMap({ $0 }) + trust + files.secrets {
            let isSecret = files.secrets.contains(path)
            guard let facts = FileFacts(path) else {
                findings.append(.fail("file", path, "may not be looked at", "Correct the rights of its folders"))
                continue
            }
            if facts.mode & 0o022 != 0 {
                findings.append(.fail("file", path, "may be written by others", "Run chmod go-w on it"))
            } else if isSecret, let uid, uid != 0, facts.uid != uid, facts.mode & 0o044 == 0 {
                findings.append(
                    .warn(
                        "file", path, "is closed to the gateway's user: a reload would be refused",
                        "Give it to that user"))
            } else {
                findings.append(.ok("file", path, "mode 0\(String(facts.mode, radix: 8))"))
            }
        }
    }

    private mutating func lookAtSockets() {
        for listener in settings.listeners {
            guard case .unix(let path, _, _, _) = listener.address else { continue }
            lookAtFolder(of: path, "socket")
        }
    }

    private mutating func lookAtFolder(of path: String, _ check: String) {
        let folder = FileFacts.folder(of: path)
        guard let facts = FileFacts(folder), facts.kind == .folder else {
            findings.append(.fail(check, folder, "is no folder", "Make it, and give it to the gateway's user"))
            return
        }
        if facts.mode & 0o002 != 0 && facts.mode & 0o1000 == 0 {
            findings.append(.fail(check, folder, "others may replace what is in it", "Run chmod o-w on it"))
        } else if let uid, !facts.mayBeWritten(by: uid, groups: groups) {
            findings.append(.fail(check, folder, "the gateway's user may not write there", "Give it to that user"))
        } else {
            findings.append(.ok(check, folder, "can be written by the gateway"))
        }
    }

    // MARK: - Store

    private mutating func lookAtStore() {
        guard let path = settings.store?.path else { return }
        lookAtFolder(of: path, "store")
        guard let facts = FileFacts(path) else {
            findings.append(.ok("store", path, "is not there yet; the gateway makes it"))
            return
        }
        if facts.mode & 0o077 != 0 {
            findings.append(.warn("store", path, "is open to others", "Run chmod 0600 on it"))
        }
        if let uid, uid != 0, facts.uid != uid {
            findings.append(.fail("store", path, "belongs to another user", "Give it to the gateway's user"))
        }
        do throws(KeyBook.Failure) {
            let unknown = try KeyBook(settings).list(.unknown, limit: Self.countedKeys).count
            if unknown == 0 {
                findings.append(.ok("store", path, "opens, and no outcome is unknown"))
            } else {
                findings.append(
                    .warn(
                        "store", path, "\(unknown) keys have an unknown outcome",
                        "Settle them: countersign keys list, keys resolve"))
            }
        } catch {
            findings.append(.fail("store", path, error.reason, "See docs/operations.md, The store"))
        }
    }

    // MARK: - Process and kernel

    private mutating func lookAtLimits() {
        let descriptors = (try? ProcessControl.raiseDescriptorLimit()) ?? ProcessControl.descriptorLimit()
        let wanted = settings.connections.maxConnections + 1_024
        if descriptors < wanted {
            findings.append(
                .warn(
                    "limit", "nofile", "\(descriptors), and limits.max_connections may need \(wanted)",
                    "Raise LimitNOFILE or ulimit -n"))
        } else {
            findings.append(.ok("limit", "nofile", "\(descriptors)"))
        }
        switch SecretPlace.now {
        case .locked(let bytes): findings.append(.ok("limit", "memlock", "\(bytes) bytes are locked for secrets"))
        case .unlocked(let wanted):
            findings.append(
                .warn(
                    "limit", "memlock", "\(Privileges.lockedMemoryLimit) bytes: secrets may be written to swap space",
                    "Raise LimitMEMLOCK or ulimit -l to \(wanted) bytes"))
        }
    }

    private mutating func lookAtKernel() {
        if let version = Landlock.version {
            findings.append(.ok("kernel", "landlock", "version \(version)"))
        } else {
            findings.append(
                .warn("kernel", "landlock", "is not there", "Use Linux 5.13 or later with lsm=landlock"))
        }
        if SystemCallFilter.isAvailable {
            findings.append(.ok("kernel", "seccomp", "is there"))
        } else {
            findings.append(.warn("kernel", "seccomp", "is not there", "Use a kernel with CONFIG_SECCOMP_FILTER"))
        }
    }
}
