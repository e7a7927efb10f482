// The sandbox's certificate files: its own authority and server certificate, and the set for tests.
// Relies on a folder that only its owner can write. Refuses to serve from files it cannot read or write.

/// Makes and keeps certificate files.
enum Certificates {
    private static let year = 365 * 86_400
    private static let names = "DNS:localhost,DNS:sandbox.localhost,IP:127.0.0.1,IP:::1"

    private typealias Authority = (certificate: IssuedCertificate, key: IssuedKey)

    /// Makes sure that `folder` holds ca.pem, ca.key, server.pem and server.key that are valid; false if it cannot.
    static func prepare(_ folder: String) -> Bool {
        guard HostSystem.makeFolder(folder) else { return false }
        let kept = authority(in: folder)
        if let kept, let server = load(folder, "server"), server.certificate.isFresh,
            server.certificate.isSigned(by: kept.key)
        {
            return true
        }
        guard let issuer = kept ?? newAuthority("Countersign sandbox CA") else { return false }
        if kept == nil, !save(folder, "ca", issuer.certificate, issuer.key) { return false }
        return issue(folder, "server", names, from: -3_600, to: year, issuer)
    }

    /// Writes ca.pem and the pairs good, expired, wrong-host and unknown-ca.
    static func makeTestSet(_ folder: String) -> Bool {
        guard HostSystem.makeFolder(folder), let issuer = newAuthority("Countersign test CA"),
            let stranger = newAuthority("Countersign stranger CA"), let root = issuer.certificate.pem,
            HostSystem.writeFile("\(folder)/ca.pem", root, mode: 0o644)
        else { return false }
        return issue(folder, "good", names, from: -3_600, to: year, issuer)
            && issue(folder, "expired", names, from: -2 * year, to: -year, issuer)
            && issue(folder, "wrong-host", "DNS:elsewhere.example", from: -3_600, to: year, issuer)
            && issue(folder, "unknown-ca", names, from: -3_600, to: year, stranger)
    }

    private static func authority(in folder: String) -> Authority? {
        guard let found = load(folder, "ca"), found.certificate.isFresh, found.certificate.isSigned(by: found.key)
        else { return nil }
        return found
    }

    private static func load(_ folder: String, _ name: String) -> Authority? {
        guard let pem = HostSystem.readFile("\(folder)/\(name).pem"), let certificate = IssuedCertificate(pem: pem),
            let keyPEM = HostSystem.readFile("\(folder)/\(name).key"), let key = IssuedKey(pem: keyPEM),
            certificate.fits(key)
        else { return nil }
        return (certificate, key)
    }

    private static func newAuthority(_ name: String) -> Authority? {
        let request = CertificateRequest(
            commonName: name, alternativeNames: nil, notBefore: -3 * year, notAfter: 10 * year)
        guard let key = IssuedKey(), let certificate = issueCertificate(request, key: key, issuer: nil) else {
            return nil
        }
        return (certificate, key)
    }

    private static func issue(
        _ folder: String, _ name: String, _ alternatives: String, from: Int, to: Int, _ issuer: Authority
    ) -> Bool {
        let request = CertificateRequest(
            commonName: "countersign sandbox", alternativeNames: alternatives, notBefore: from, notAfter: to)
        guard let key = IssuedKey(), let certificate = issueCertificate(request, key: key, issuer: issuer) else {
            return false
        }
        return save(folder, name, certificate, key)
    }

    private static func save(_ folder: String, _ name: String, _ certificate: IssuedCertificate, _ key: IssuedKey)
        -> Bool
    {
        guard let text = certificate.pem, let secret = key.pem else { return false }
        return HostSystem.writeFile("\(folder)/\(name).key", secret, mode: 0o600)
            && HostSystem.writeFile("\(folder)/\(name).pem", text, mode: 0o644)
    }
}
