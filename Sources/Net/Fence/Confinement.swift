// What the process gives up for good, each by one call that says whether the system agreed: its user's rights, files
// (Landlock), system calls (seccomp). Threads inherit it from the one that calls, so that it comes before all others.
// Relies on CShims for the rules themselves. Refuses nothing; whoever calls decides what a refusal means.

internal import CShims
internal import Glibc

/// The user and group that a process may become.
package struct Account: Equatable, Sendable {
    /// nil: a number that the system has no name for, and no supplementary groups.
    package let name: String?
    package let uid: UInt32
    package let gid: UInt32

    /// The account of `user`, by name or number, with the primary group unless `group` names one. A number without an
    /// account needs a group.
    package init(user: String, group: String?) throws(Accounts.Unknown) {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        // SAFETY: both places live for the length of the call; the name is a C string.
        let isKnown = unsafe cs_account_of(user, &uid, &gid) == 1
        let own = isKnown ? uid : UInt32(user)
        guard let own, own != .max, let chosen = try Accounts.group(group) ?? (isKnown ? gid : nil) else {
            throw Accounts.Unknown(name: user)
        }
        self.uid = own
        self.gid = chosen
        name = isKnown ? Self.name(of: own) : nil
    }

    /// The name of a user's number; nil where there is none.
    package static func name(of uid: UInt32) -> String? {
        var text = [CChar](repeating: 0, count: 256)
        // SAFETY: the array has room for 256 bytes, the last of them a zero.
        guard unsafe cs_account_name(uid, &text, text.count) == 1 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The rights of the process's user.
package enum Privileges {
    package static var userID: UInt32 { cs_effective_user() }
    package static var groupID: UInt32 { cs_effective_group() }

    /// Becomes `account` with its groups, and none other; fails where root could be had back.
    package static func become(_ account: Account) throws(SystemError) {
        let result: Int32
        if let name = account.name {
            // SAFETY: the name is a C string for the length of the call.
            result = unsafe cs_become(name, account.uid, account.gid)
        } else {
            result = cs_become(nil, account.uid, account.gid)
        }
        try result.checked("setresuid")
    }

    /// Gives a file to an account, where the system lets us.
    package static func give(_ path: String, to account: Account) {
        // SAFETY: the path is a C string for the length of the call.
        _ = unsafe cs_chown(path, account.uid, account.gid)
    }

    /// No program that we could start would have more rights than we (PR_SET_NO_NEW_PRIVS).
    package static func forbidNew() throws(SystemError) { try cs_no_new_privileges().checked("prctl") }

    /// Whether this user may read the file.
    package static func mayRead(_ path: String) -> Bool {
        // SAFETY: the path is a C string for the length of the call.
        unsafe cs_may_read(path) == 0
    }

    /// Bytes that may be locked into memory; `Int.max` for no bound.
    package static var lockedMemoryLimit: Int { Int(max(0, cs_locked_memory_limit())) }
}

/// Files and folders that stay open to the process (landlock(7)); all others are closed from then on.
package enum Landlock {
    /// What a rule allows for a file, or for a folder and all below it.
    package enum Access: Int32, Sendable {
        case read = 0
        /// Files are read, written, made and removed.
        case write = 1
        /// Unix sockets are made and removed.
        case sockets = 2
        /// Devices are read and written.
        case device = 3
    }

    package struct Rule: Equatable, Sendable {
        package let path: String
        package let access: Access

        package init(_ path: String, _ access: Access) {
            self.path = path
            self.access = access
        }
    }

    /// The kernel's version of it, from 1 on; nil where it has none or it is switched off.
    package static var version: Int? {
        let version = cs_landlock_abi()
        return version > 0 ? Int(version) : nil
    }

    /// Closes all files but those of `rules`; what does not exist is left out. Needs `Privileges.forbidNew`.
    package static func enforce(_ rules: [Rule]) throws(SystemError) {
        let abi = cs_landlock_abi()
        try abi.checked("landlock_create_ruleset")
        let ruleset = try Descriptor(result: cs_landlock_begin(abi), "landlock_create_ruleset")
        for rule in rules {
            // SAFETY: the path is a C string for the length of the call.
            let result = unsafe cs_landlock_allow(ruleset.number, abi, rule.path, rule.access.rawValue)
            if result != -ENOENT && result != -ENOTDIR && result != -EACCES {
                try result.checked("landlock_add_rule")
            }
        }
        try cs_landlock_enforce(ruleset.number).checked("landlock_restrict_self")
    }

    /// What OpenSSL was told about trusted authorities in the environment, which the configuration does not name.
    package static var trustedByEnvironment: [String] {
        let names: [String] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES"]
        return names.compactMap { name in
            // SAFETY: the value is copied at once; no other thread changes the environment.
            guard let value = unsafe getenv(name) else { return nil }
            return unsafe String(cString: value)
        }
    }
}

/// The system calls that are left (seccomp(2)); all others get EPERM.
package enum SystemCallFilter {
    /// How many of them are left whatever their arguments.
    package static var count: Int { Int(cs_seccomp_calls()) }

    /// Whether the kernel has filters.
    package static var isAvailable: Bool { cs_seccomp_mode() >= 0 }

    /// Needs `Privileges.forbidNew`.
    package static func enforce() throws(SystemError) { try cs_seccomp_enforce().checked("seccomp") }
}
