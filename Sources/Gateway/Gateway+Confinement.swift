// What the process gives up before it serves: its user's rights, files that it has no business with, system calls that
// it never makes. Each is told in the log: that it is so, or that it is not and why.
// Relies on being called before any thread is started. Refuses to run where the configured user cannot be become;
// what the kernel does not have is told and done without.

internal import Config
internal import Net
internal import Signing

extension Gateway {
    /// Carries it out. The listeners are bound.
    func confine(_ settings: Settings) throws(StartFailure) {
        try become(settings)
        do {
            try Privileges.forbidNew()
            // A change of user has undone it.
            try ProcessControl.forbidMemoryDumps()
        } catch {
            throw StartFailure("the process could not be prepared: \(error)")
        }
        tellOfSecretMemory()
        restrictFiles(settings)
        filterCalls(settings.process)
    }

    private func become(_ settings: Settings) throws(StartFailure) {
        guard let user = settings.process.user else {
            if Privileges.userID == 0 {
                log.write(.warning, "runs as root: set user, so that a fault in it is not root's")
            }
            return
        }
        let account = try Self.account(user, settings.process.group)
        // Who is that user already has nothing to give up.
        guard account.uid != Privileges.userID || account.gid != Privileges.groupID else { return }
        guard Privileges.userID == 0 else { throw StartFailure("user is set, and only root can become another user") }
        // It was made by root; what is opened again after a rotation is made by that user.
        if let path = settings.log.path { Privileges.give(path, to: account) }
        do {
            try Privileges.become(account)
        } catch {
            throw StartFailure("the user \(user) could not be become: \(error)")
        }
        log.write(
            .info, "user changed", ("user", .text(user)), ("uid", .number(Int(account.uid))),
            ("gid", .number(Int(account.gid))))
        let closed = settings.files.secrets.filter { !Privileges.mayRead($0) }
        if !closed.isEmpty {
            log.write(
                .warning, "files that this user may not read: a reload would be refused", ("files", .words(closed)))
        }
    }

    private static func account(_ user: String, _ group: String?) throws(StartFailure) -> Account {
        do {
            return try Account(user: user, group: group)
        } catch {
            throw StartFailure("there is no user or group \(error.name), or it is a number without a group")
        }
    }

    private func tellOfSecretMemory() {
        switch SecretMemory.state {
        case .locked(let bytes): log.write(.info, "secrets are in locked memory", ("bytes", .number(bytes)))
        case .unlocked:
            log.write(
                .warning, "secrets may be written to swap space: RLIMIT_MEMLOCK is too small",
                ("limit", .number(Privileges.lockedMemoryLimit)), ("wanted", .number(SecretMemory.lockedMinimum)))
        case .absent: log.write(.warning, "secrets may be written to swap space: OpenSSL has no secure heap")
        }
        if SecretMemory.overflows > 0 {
            log.write(
                .warning, "secrets that had no room in locked memory", ("secrets", .number(SecretMemory.overflows)))
        }
    }

    // MARK: - Files

    /// What the name service, OpenSSL, the clock and the C library read while we run. Files of /etc are replaced by
    /// renaming, so that only the folder can be named.
    private static let systemFolders = [
        "/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
        "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/run/systemd/resolve", "/run/resolvconf",
        "/run/NetworkManager", "/run/nscd", "/proc/sys/kernel/random", "/proc/sys/net", "/sys/devices/system/cpu",
    ]
    private static let devices = ["/dev/null", "/dev/urandom", "/dev/random"]

    private func restrictFiles(_ settings: Settings) {
        guard settings.process.hasLandlock else {
            return log.write(.warning, "files are not restricted", ("reason", .text("hardening.landlock is false")))
        }
        guard let version = Landlock.version else {
            return log.write(.warning, "files are not restricted", ("reason", .text("the kernel has no Landlock")))
        }
        let rules = Self.rules(settings)
        do {
            try Landlock.enforce(rules)
            filesAreRestricted = true
            log.write(
                .info, "files are restricted", ("landlock", .number(version)),
                ("paths", .words(Set(rules.map(\.path)).filter { !Self.isSystem($0) }.sorted())))
        } catch {
            log.write(.warning, "files are not restricted", ("reason", .text("\(error)")))
        }
    }

    private static func isSystem(_ path: String) -> Bool { systemFolders.contains(path) || devices.contains(path) }

    private static func rules(_ settings: Settings) -> [Landlock.Rule] {
        var rules = systemFolders.map { Landlock.Rule($0, .read) } + devices.map { Landlock.Rule($0, .device) }
        let files = settings.files
        for path in files.secrets + files.trust + [files.configuration].compactMap({ $0 })
            + Landlock.trustedByEnvironment
        {
            // A file that is replaced is another one: its folder is what stays. But nobody means all there is.
            rules += FileWatch.folders(of: path).map { Landlock.Rule($0 == "/" ? path : $0, .read) }
        }
        if let path = settings.store?.path {
            rules += FileWatch.folders(of: path).map { Landlock.Rule(nearest($0), .write) }
        }
        if let path = settings.log.path { rules += FileWatch.folders(of: path).map { Landlock.Rule($0, .write) } }
        for listener in settings.listeners {
            guard case .unix(let path, _, _, _) = listener.address else { continue }
            rules += FileWatch.folders(of: path).map { Landlock.Rule($0, .sockets) }
        }
        var unique: [Landlock.Rule] = []
        for rule in rules where !unique.contains(rule) { unique.append(rule) }
        return unique
    }

    /// The folder, or the nearest one above it that is there: the store is opened when its folder comes.
    private static func nearest(_ folder: String) -> String {
        var folder = folder
        while folder != "/" && folder != "." && FileFacts(folder) == nil { folder = FileFacts.folder(of: folder) }
        return folder
    }

    /// Why a file that is there could not be opened.
    func tellOfRestrictedFiles() {
        guard filesAreRestricted else { return }
        log.write(
            .info, "folders that the configuration did not name at the start take a restart (hardening.landlock)")
    }

    // MARK: - System calls

    private func filterCalls(_ settings: ProcessSettings) {
        guard settings.hasSeccomp else {
            return log.write(
                .warning, "system calls are not filtered", ("reason", .text("hardening.seccomp is false")))
        }
        do {
            try SystemCallFilter.enforce()
            log.write(.info, "system calls are filtered", ("calls", .number(SystemCallFilter.count)))
        } catch {
            log.write(.warning, "system calls are not filtered", ("reason", .text("\(error)")))
        }
    }
}
