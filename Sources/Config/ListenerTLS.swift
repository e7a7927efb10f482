// The key `tls` of a listener: the certificate that callers see, and whose certificates they may show.
// Relies on Fence/Files.swift for what can be said of the files by now. Refuses a private key that others may read;
// what is in the files is judged where they are used.

extension Field {
    /// The settings of one listener; nil where a file is missing or wrong.
    func listenerTLS() -> ListenerTLSSettings? {
        guard let keys = mapping(Vocabulary.listenerTLS) else { return nil }
        let certificate = keys.required("certificate", "Write certificate: /path/chain.pem")?
            .readableFile(missing: "Correct the path, or have a certificate issued")
        if let certificate { report.files.note(secret: certificate) }
        let key = keys.required("key", "Write key: /path/key.pem")?.privateKeyFile()
        let clientCA = keys["client_ca"]?.readableFile(missing: "Correct the path")
        let word = keys["client_certificate"]?.word(ListenerTLSSettings.ClientCertificate.self)
        if let field = keys["client_certificate"], keys["client_ca"] == nil {
            field.error("needs client_ca, which says whose certificates are trusted", "Write client_ca: /path/ca.pem")
        }
        guard let certificate, let key else { return nil }
        var settings = ListenerTLSSettings(certificateFile: certificate, keyFile: key, clientCAFile: clientCA)
        if let word { settings.clientCertificate = word }
        return settings
    }

    /// The path of a private key: as it is, or as `file:` or `credential:`, since those are how secrets are named.
    private func privateKeyFile() -> String? {
        guard let (path, rule) = privateKeyPath() else { return nil }
        do throws(FileFailure) {
            try checkReadable(path, rule: rule)
            report.files.note(secret: path)
            return path
        } catch {
            let (message, remedy) = secretFailure(error)
            return refuse(message, remedy)
        }
    }

    private func privateKeyPath() -> (path: String, rule: FileRule)? {
        guard let text = text() else { return nil }
        if text.hasPrefix("/") { return (text, .ownerOnly) }
        guard let reference = secretReference() else { return nil }
        switch reference {
        case .file(let path): return (path, .ownerOnly)
        case .credential(let name): return credentialPath(name).map { ($0, .serviceCredential) }
        case .environment:
            return refuse("a private key is read from a file, not from the environment", "Write key: /path/key.pem")
        }
    }
}
