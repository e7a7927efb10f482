// What stat(2) says of a path: who may do what there. For the operator's questions, never for a decision before a file
// is opened: that is made on the open file.

internal import CShims

/// A path as it is now.
package struct FileFacts: Equatable, Sendable {
    package enum Kind: Equatable, Sendable { case file, folder, socket, other }

    package let kind: Kind
    /// The low twelve bits of its mode.
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32

    /// Links are followed. nil where nothing is there, or may be looked at.
    package init?(_ path: String) {
        var facts = cs_facts()
        // SAFETY: the path is a C string and the place lives for the length of the call.
        guard unsafe cs_file_facts(path, &facts) == 0 else { return nil }
        kind =
            switch facts.kind {
            case 0: .file
            case 1: .folder
            case 2: .socket
            default: .other
            }
        mode = facts.mode
        uid = facts.uid
        gid = facts.gid
    }

    /// The folder in which a path stands.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether a user with these groups may write here, by the mode alone. Root always may.
    package func mayBeWritten(by uid: UInt32, groups: [UInt32]) -> Bool {
        if uid == 0 { return true }
        if uid == self.uid { return mode & 0o200 != 0 }
        if groups.contains(gid) { return mode & 0o020 != 0 }
        return mode & 0o002 != 0
    }
}
