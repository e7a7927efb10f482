// Variables of the environment: the few that are read as text, and those that are secrets, which never become one.
// Relies on Fence/EnvironmentBlock.swift. Refuses to give a variable as text once it was taken as a secret.

internal import HTTP
internal import Signing

/// What `env:` and `credential:` references are resolved with. A secret that was taken from the process's environment
/// is kept here for reloads, as its place there is overwritten. Used by one thread.
package final class Environment {
    /// What stands at an `env:` reference.
    enum Found {
        case absent, empty, tooLong
        case secret(SecretBytes)
    }

    /// nil: the process's own.
    private let variables: [String: String]?
    private var taken: [String: SecretBytes] = [:]

    private init(_ variables: [String: String]?) { self.variables = variables }

    /// An environment that is not the process's, for tests.
    package convenience init(_ variables: [String: String]) { self.init(Optional(variables)) }

    /// The process's own; made once.
    package static func ofProcess() -> Environment { Environment(nil) }

    /// The value of a variable that is no secret.
    package subscript(name: String) -> String? {
        guard let variables else { return EnvironmentBlock.value(of: name) }
        return variables[name]
    }

    /// The bytes of a variable that is a secret of at most `limit` bytes; the process's environment has it no longer
    /// afterwards.
    func secret(_ name: String, limit: Int) -> Found {
        if let known = taken[name] { return .secret(known) }
        var buffer = ByteBuffer(capacity: limit)
        guard read(name, into: &buffer) else { return .absent }
        guard buffer.count > 0 else { return .empty }
        guard buffer.count <= limit else { return .tooLong }
        let secret = SecretBytes(copying: buffer.bytes)
        if variables == nil { taken[name] = secret }
        return .secret(secret)
    }

    private func read(_ name: String, into buffer: inout ByteBuffer) -> Bool {
        guard let variables else { return EnvironmentBlock.take(name, into: &buffer) }
        guard let value = variables[name] else { return false }
        for byte in value.utf8 { buffer.append(byte: byte) }
        return true
    }
}
