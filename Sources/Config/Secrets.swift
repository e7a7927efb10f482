// Secrets by reference: from a file, the environment, or systemd's credentials.
// Relies on readFile for the checks of mode and owner. Refuses a secret that is written into the configuration, and
// never repeats any part of a value or reference in a message.

internal import HTTP
internal import Signing

/// Where a secret is.
enum SecretReference {
    /// `file:` and an absolute path.
    case file(String)
    /// `env:` and a variable's name.
    case environment(String)
    /// `credential:` and the name of a file in `$CREDENTIALS_DIRECTORY` (systemd.exec(5), LoadCredential=).
    case credential(String)
}

extension Field {
    /// Longest secret in bytes, after its final newline was removed.
    static let maxSecret = 4_096

    /// The form of a reference, without following it.
    func secretReference() -> SecretReference? {
        let remedy = "Write file:/path, env:NAME or credential:NAME"
        guard let text = text() else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else {
            return refuse("a secret is not written into the configuration, only where it is", remedy)
        }
        let rest = String(parts[1])
        switch parts[0] {
        case "file":
            guard rest.hasPrefix("/") else {
                return refuse("the path of a secret must be absolute", "Write file:/path")
            }
            return .file(rest)
        case "env": return .environment(rest)
        case "credential":
            guard rest.utf8.allSatisfy({ isNameByte($0) }), rest != ".", rest != ".." else {
                return refuse("is not the name of a credential", "Write credential:NAME, a file's name without a path")
            }
            return .credential(rest)
        default: return refuse("a secret is not written into the configuration, only where it is", remedy)
        }
    }

    /// The secret itself: 1 ... 4096 bytes. Of a file, one final newline (LF or CRLF) is not part of it; all else is,
    /// spaces and further newlines too. A variable is taken as it is.
    func secret() -> SecretBytes? {
        guard let reference = secretReference() else { return nil }
        switch reference {
        case .file(let path): return secretFile(path, rule: .ownerOnly)
        case .environment(let name):
            switch report.environment.secret(name, limit: Self.maxSecret) {
            case .absent:
                return refuse(
                    "the environment variable of the secret is not set", "Set it, or use file: or credential:")
            case .empty: return secretIsEmpty()
            case .tooLong: return secretIsTooLong()
            case .secret(let secret): return secret
            }
        case .credential(let name):
            return credentialPath(name).flatMap { secretFile($0, rule: .serviceCredential) }
        }
    }

    /// Where systemd put the credential of this name.
    func credentialPath(_ name: String) -> String? {
        guard let directory = report.environment["CREDENTIALS_DIRECTORY"], directory.hasPrefix("/") else {
            return refuse(
                "CREDENTIALS_DIRECTORY is not set, so there are no credentials",
                "Start the gateway by systemd with LoadCredential=, or use file: or env:")
        }
        return "\(directory)/\(name)"
    }

    private func secretFile(_ path: String, rule: FileRule) -> SecretBytes? {
        report.files.note(secret: path)
        var buffer: ByteBuffer
        do throws(FileFailure) {
            // Two bytes more: the newline that is removed.
            buffer = try readFile(path, limit: Self.maxSecret + 2, rule: rule)
        } catch {
            let (message, remedy) = secretFailure(error)
            return refuse(message, remedy)
        }
        trimNewline(&buffer)
        return secret(buffer)
    }

    private func secret(_ buffer: borrowing ByteBuffer) -> SecretBytes? {
        guard buffer.count > 0 else { return secretIsEmpty() }
        guard buffer.count <= Self.maxSecret else { return secretIsTooLong() }
        return SecretBytes(copying: buffer.bytes)
    }

    private func secretIsEmpty() -> SecretBytes? { refuse("the secret is empty", "Put the secret there") }

    private func secretIsTooLong() -> SecretBytes? {
        refuse("the secret is longer than \(Self.maxSecret) bytes", "Put only the secret there")
    }

    /// What is wrong with a file that only its owner may read, and what to do.
    func secretFailure(_ failure: FileFailure) -> (String, String) {
        switch failure {
        case .missing: ("the file of the secret does not exist", "Create it, or correct the path")
        case .denied: ("the file of the secret may not be read", "Give it to the user that runs the gateway")
        case .notRegular: ("the file of the secret is not a regular file", "Name a file, not a folder or pipe")
        case .tooLarge: ("the secret is longer than \(Self.maxSecret) bytes", "Put only the secret there")
        case .exposed(let mode):
            (
                "the file of the secret has mode 0\(String(mode, radix: 8)), so others may read it",
                "Run chmod 0600 on it"
            )
        case .foreignOwner:
            ("the file of the secret belongs to another user", "Give it to root or to the user that runs the gateway")
        case .failed(let error):
            ("the file of the secret cannot be read (errno \(error))", "Correct the path or the disk")
        }
    }
}

/// Removes one LF or CRLF from the end.
private func trimNewline(_ buffer: inout ByteBuffer) {
    let count = buffer.count
    guard count > 0, buffer.bytes[count - 1] == UInt8(ascii: "\n") else { return }
    let hasReturn = count > 1 && buffer.bytes[count - 2] == UInt8(ascii: "\r")
    buffer.truncate(to: count - (hasReturn ? 2 : 1))
}
