// The keys `listeners` and `workers`: where callers reach the gateway.
// Relies on AddressLiteral. Refuses names instead of addresses, and addresses that others on the network can reach
// unless `unsafe_bind` says that this is meant: whoever reaches a listener can have calls signed.

extension Field {
    /// The list of listeners; those that are wrong are missing in it.
    func listeners() -> [ListenerSettings] {
        var listeners: [ListenerSettings] = []
        for element in elements(max: 64) ?? [] {
            guard let listener = element.listener() else { continue }
            if let other = listeners.first(where: { $0.name == listener.name }) {
                element.error("a second listener is called \(other.name)", "Give each its own name")
            }
            if let other = listeners.first(where: { $0.address.collides(with: listener.address) }) {
                element.error("binds the same address as the listener \(other.name)", "Give each its own address")
            }
            listeners.append(listener)
        }
        return listeners
    }

    private func listener() -> ListenerSettings? {
        guard let keys = mapping(Vocabulary.listener) else { return nil }
        let name = keys.required("name", "Write name: apps")?.name()
        let tls = keys["tls"]?.listenerTLS()
        let remedy = "Write bind: \"127.0.0.1:8080\" or bind: unix:/run/countersign/apps.sock"
        let danger = "others on the network can reach this address and have calls signed"
        guard let address = keys.address(remedy, danger: danger, mayBePassed: true) else { return nil }
        if case .unix = address { keys["tls"]?.error("has a meaning for TCP listeners only", "Remove the key") }
        return name.map { ListenerSettings(name: $0, address: address, tls: tls) }
    }

    /// `127.0.0.1:8080`, `[::1]:8080`, `unix:/path` or, for callers, `fd:NAME`.
    fileprivate func listenerAddress() -> ListenAddress? {
        guard case .scalar(let text, _) = node.value, text.hasPrefix("fd:") else { return bindAddress() }
        let name = String(text.dropFirst(3))
        guard isName(name) else {
            return refuse("is not the name of a passed socket", "Write fd:NAME, as FileDescriptorName= has it")
        }
        return .passed(name: name, isOpenMeant: false)
    }

    /// `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`.
    func bindAddress() -> ListenAddress? {
        guard let text = text() else { return nil }
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.hasPrefix("/"), path.utf8.count <= 107 else {
                return refuse("is not the path of a Unix socket", "Write unix:/ and a path of at most 107 bytes")
            }
            return .unix(path: path, mode: nil, owner: nil, group: nil)
        }
        guard let colon = text.lastIndex(of: ":"), let port = portNumber(text[text.index(after: colon)...], from: 0)
        else { return refuse("has no port", "Write address:port, with a port from 0 to 65535, or unix:/path") }
        var host = String(text[..<colon])
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = String(host.dropFirst().dropLast()) }
        guard let literal = AddressLiteral(host), literal.isIPv6 == isBracketed else {
            return refuse(
                "is not a literal address", "Write an IPv4 address, an IPv6 address in brackets, or unix:/path")
        }
        return .tcp(host: host, port: port)
    }

    /// An octal file mode with its leading zero.
    fileprivate func mode() -> UInt16? {
        guard let text = scalar(expected: "a mode such as \"0660\"") else { return nil }
        guard text.utf8.count == 4, text.hasPrefix("0"), let mode = UInt16(text, radix: 8), !text.contains("+") else {
            return refuse("is not a mode", "Write four octal digits from \"0000\" to \"0777\"")
        }
        return mode
    }

    /// An operator's name for a thing: 1 ... 64 letters, digits, `.`, `_`, `-`.
    func name() -> String? {
        guard let text = scalar(expected: "a name") else { return nil }
        return checkName(text) ? text : nil
    }

    /// Whether `text` serves as a name; reports where not.
    func checkName(_ text: String) -> Bool {
        if isName(text) { return true }
        error("is not a name", "Write 1 to 64 letters, digits, '.', '_' and '-'")
        return false
    }
}

extension Mapping {
    /// What `bind` says, with `mode`, `owner` and `group` of a Unix socket. `danger`: why an address that others can
    /// reach is refused without `unsafe_bind`. `mayBePassed`: the service manager may pass the socket.
    func address(_ remedy: String, danger: String, mayBePassed: Bool = false) -> ListenAddress? {
        let mode = self["mode"]?.mode()
        let owner = self["owner"]?.text(max: 64)
        let group = self["group"]?.text(max: 64)
        let isUnsafeMeant = self["unsafe_bind"]?.boolean() ?? false
        guard let bind = required("bind", remedy),
            let address = mayBePassed ? bind.listenerAddress() : bind.bindAddress()
        else { return nil }
        switch address {
        case .tcp(let host, _):
            for key in ["mode", "owner", "group"] {
                self[key]?.error("has a meaning for Unix sockets only", "Remove the key")
            }
            if AddressLiteral(host)?.isLoopback != true && !isUnsafeMeant {
                bind.error(danger, "Bind 127.0.0.1, [::1] or a Unix socket, or add unsafe_bind: true")
            }
            return address
        case .unix(let path, _, _, _): return .unix(path: path, mode: mode, owner: owner, group: group)
        case .passed(let name, _):
            for key in ["mode", "owner", "group"] {
                self[key]?.error("is the service manager's to say for a socket that it passes", "Remove the key")
            }
            return .passed(name: name, isOpenMeant: isUnsafeMeant)
        }
    }
}

/// Whether `text` serves as a name, and may stand in a message.
func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { isNameByte($0) }
}

/// A port of digits only, from `from` to 65535.
func portNumber(_ text: Substring, from: UInt16) -> UInt16? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let port = UInt16(text), port >= from
    else { return nil }
    return port
}

/// Letters, digits, `.`, `_`, `-`.
func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
}

extension ListenAddress {
    /// Whether the second bind of the two would fail.
    func collides(with other: ListenAddress) -> Bool {
        switch (self, other) {
        case (.tcp(let host, let port), .tcp(let otherHost, let otherPort)):
            port != 0 && port == otherPort && AddressLiteral(host) == AddressLiteral(otherHost)
        case (.unix(let path, _, _, _), .unix(let otherPath, _, _, _)): path == otherPath
        case (.passed(let name, _), .passed(let otherName, _)): name == otherName
        case (.tcp, _), (.unix, _), (.passed, _): false
        }
    }
}
