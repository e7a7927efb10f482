// Users and groups by name, for the owner of a Unix socket. Asked at start only: the name service may block.

internal import Glibc

/// The system's users and groups.
package enum Accounts {
    /// No user or group has the name.
    package struct Unknown: Error, Equatable {
        package let name: String
    }

    /// The number of a user given by name or number; nil for nil.
    package static func user(_ name: String?) throws(Unknown) -> UInt32? {
        guard let name else { return nil }
        if let number = UInt32(name) { return number }
        // SAFETY: the answer is read before the next call could overwrite it; this runs on one thread, at start.
        guard let entry = unsafe getpwnam(name) else { throw Unknown(name: name) }
        return unsafe entry.pointee.pw_uid
    }

    /// The number of a group given by name or number; nil for nil.
    package static func group(_ name: String?) throws(Unknown) -> UInt32? {
        guard let name else { return nil }
        if let number = UInt32(name) { return number }
        // SAFETY: as above.
        guard let entry = unsafe getgrnam(name) else { throw Unknown(name: name) }
        return unsafe entry.pointee.gr_gid
    }
}
