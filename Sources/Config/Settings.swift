// Everything that the operator asked for, checked: what the loader gives to the Gateway.
// Relies on the settings types of Signing, Policy and HTTP. Refuses nothing itself: the loader did.

package import HTTP
package import Policy
package import Signing

/// A whole configuration. Indexes in `routes` point into `credentials` and `upstreams`.
package struct Settings: Sendable {
    /// 1 ... 64.
    package var listeners: [ListenerSettings]
    /// Threads that serve requests, 1 ... 256; nil: one per core.
    package var workers: Int?
    /// 1 ... 256, in the file's order.
    package var credentials: [CredentialSettings]
    /// 1 ... 256, in the file's order.
    package var upstreams: [UpstreamSettings]
    /// 1 ... 1000; the first that matches wins.
    package var routes: [RouteSettings]
    /// nil: whoever reaches a listener may call. Otherwise 1 ... 1000, in the file's order; nobody else may.
    package var callers: [CallerSettings]?
    /// 0 ... `QuotaSettings.maxQuotas`, in the file's order.
    package var quotas: [QuotaSettings]
    /// nil: nothing is kept, and no route has idempotency.
    package var store: StoreSettings?
    package var limits: HTTPLimits
    package var connections: ConnectionLimits
    package var process = ProcessSettings()
    /// What it was read from.
    package var files = ConfigurationFiles()
    package var log: LogSettings
    /// nil: there is no admin listener.
    package var admin: ListenAddress?
    /// What kind of reference each secret was given by.
    package var references: [SecretNote]
    /// What the operator should know although it is allowed; to be logged at start.
    package var warnings: [Problem]

    package init(
        listeners: [ListenerSettings], workers: Int?, credentials: [CredentialSettings],
        upstreams: [UpstreamSettings], routes: [RouteSettings], callers: [CallerSettings]?, quotas: [QuotaSettings],
        store: StoreSettings?, limits: HTTPLimits, connections: ConnectionLimits, log: LogSettings,
        admin: ListenAddress?, references: [SecretNote], warnings: [Problem]
    ) {
        self.listeners = listeners
        self.workers = workers
        self.credentials = credentials
        self.upstreams = upstreams
        self.routes = routes
        self.callers = callers
        self.quotas = quotas
        self.store = store
        self.limits = limits
        self.connections = connections
        self.log = log
        self.admin = admin
        self.references = references
        self.warnings = warnings
    }
}

/// Where callers, or operators, reach the gateway.
package enum ListenAddress: Equatable, Sendable {
    /// A literal IPv4 or IPv6 address without brackets. Port 0: the system chooses a free one.
    case tcp(host: String, port: UInt16)
    /// A Unix socket: an absolute path of at most 107 bytes. `mode` 0 ... 0o777; nil leaves what the umask gives.
    case unix(path: String, mode: UInt16?, owner: String?, group: String?)
    /// A listening socket of this name that the service manager passes to the process (sd_listen_fds(3)): 1 ... 64
    /// letters, digits, `.`, `_`, `-`. `isOpenMeant`: it may be one that others on the network can reach.
    case passed(name: String, isOpenMeant: Bool)
}

/// One listener of the key `listeners`.
package struct ListenerSettings: Equatable, Sendable {
    package var name: String
    package var address: ListenAddress
    /// nil: without TLS, as Unix sockets always are.
    package var tls: ListenerTLSSettings?

    package init(name: String, address: ListenAddress, tls: ListenerTLSSettings? = nil) {
        self.name = name
        self.address = address
        self.tls = tls
    }
}

/// The key `store`: where idempotency keys and answers are kept.
package struct StoreSettings: Sendable {
    package var kind: StoreKind
    /// The file's absolute path; nil for memory.
    package var path: String?
    /// What answers are encrypted and keys are hashed with, the current one, then 0 ... 3 of
    /// before. Empty: memory with a key of its own.
    package var keys: [SecretBytes]
    package var limits: StoreLimits

    package init(kind: StoreKind, path: String?, keys: [SecretBytes], limits: StoreLimits) {
        self.kind = kind
        self.path = path
        self.keys = keys
        self.limits = limits
    }
}

/// Which answers carry the fields of quotas, `RateLimit-Policy` and `RateLimit`.
package enum QuotaHeaders: String, CaseIterable, Sendable {
    /// Those that a quota refused.
    case refusals
    /// All of requests that a quota counted.
    case always
}

/// Bounds on inbound connections. What happens at each is said beside it.
package struct ConnectionLimits: Equatable, Sendable {
    /// Inbound connections of the process. Default 10000, range 1 ... 1000000. Beyond: no more are accepted until one
    /// ends.
    package var maxConnections = 10_000
    /// From a connection's opening, or a request's first byte, to the head's last byte. Default 10 s, range 10 ms ...
    /// 5 min. Beyond: 408 and close. A TLS handshake has as long before that; beyond: close.
    package var headTimeoutMilliseconds = 10_000
    /// From the head's last byte to the body's last byte. Default 30 s, range 10 ms ... 30 min. Beyond: 408 and close.
    package var bodyTimeoutMilliseconds = 30_000
    /// How long a connection without a request is kept. Default 75 s, range 0 (closed after each answer) ... 1 h.
    package var keepAliveMilliseconds = 75_000
    /// How long a caller may take no byte of its answer. Default 30 s, range 10 ms ... 30 min. Beyond: close.
    package var writeTimeoutMilliseconds = 30_000
    /// How long calls in flight may go on after the signal to stop. Default 30 s, range 0 ... 1 h. Beyond: close.
    package var drainMilliseconds = 30_000
    /// Bytes of an answer held for a slow caller. Default 64 KiB, range 4 KiB ... 1 MiB. Beyond: the upstream is read
    /// no further until the caller takes some.
    package var relayBuffer = 64 * 1024

    /// Bytes of request bodies that the process holds, beyond what fits the first buffers. Default 512 MiB, range
    /// 1 MiB ... 64 GiB. Beyond: 503, nothing sent.
    package var maxBuffered = 512 * 1_024 * 1_024
    /// Default: refusals only.
    package var quotaHeaders = QuotaHeaders.refusals
    /// Counts of quotas that are kept. Default 100000, range `LimitTable.capacities`. Beyond: the least recently used
    /// are forgotten, and begin with a whole burst again.
    package var quotaKeys = 100_000

    package init() {}
}
