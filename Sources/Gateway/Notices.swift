// What workers have to tell the operator, handed to the main thread, which alone writes the log while requests pass.
// Relies on the mailbox's bound. Refuses to say the same thing again too soon: an upstream that refuses every request
// is one line in ten seconds.

internal import Net
internal import Policy

/// One thing to tell. Names are the configuration's own.
enum Notice: Sendable {
    /// Our clock less the upstream's, in seconds.
    case clockSkew(upstream: String, seconds: Int)
    /// The upstream answered 401.
    case signatureRefused(credential: String, RefusedSignature)

    /// The upstream takes another of the credential's secrets: `next_secret`, or the first again.
    case secretChanged(credential: String, toNext: Bool)

    /// Notices that wait for the main thread; beyond, they are dropped, as the next ones say the same.
    static let limit = 256

    /// How long nothing more is said of the same matter, in milliseconds.
    var restMilliseconds: UInt64 {
        switch self {
        case .clockSkew: 60_000
        case .signatureRefused: 10_000
        // Each worker finds out by itself.
        case .secretChanged: 60_000
        }
    }

    fileprivate var matter: String {
        switch self {
        case .clockSkew(let upstream, _): "clock " + upstream
        case .signatureRefused(let credential, _): "signature " + credential
        case .secretChanged(let credential, let toNext): "secret \(toNext) " + credential
        }
    }
}

/// The main thread's end: writes what was not written of late.
struct NoticeDesk {
    private static let maxMatters = 1_024

    private let mailbox: Mailbox<Notice>
    private let log: OperatorLog
    private var batch: [Notice] = []
    /// When each matter was written last, in monotonic milliseconds.
    private var told: [String: UInt64] = [:]

    init(_ mailbox: Mailbox<Notice>, log: OperatorLog) {
        self.mailbox = mailbox
        self.log = log
    }

    mutating func write(at now: UInt64) {
        batch.removeAll(keepingCapacity: true)
        mailbox.drain(into: &batch)
        for notice in batch {
            if let last = told[notice.matter], now < last + notice.restMilliseconds { continue }
            // Names come and go with reloads.
            if told.count >= Self.maxMatters { told.removeAll() }
            told[notice.matter] = now
            write(notice)
        }
    }

    private func write(_ notice: Notice) {
        switch notice {
        case .clockSkew(let upstream, let seconds):
            log.write(
                .warning, "the clock differs from the upstream's: signatures are refused at 300 s",
                ("upstream", .text(upstream)), ("seconds", .number(seconds)))
        case .signatureRefused(let credential, let cause):
            log.write(
                .warning, "the upstream refused a signature (401)", ("credential", .text(credential)),
                ("cause", .text(cause.rawValue)))
        case .secretChanged(let credential, let toNext):
            log.write(
                .info, "the upstream takes the credential's other secret, which is used from now on",
                ("credential", .text(credential)), ("secret", .text(toNext ? "next_secret" : "secret")))
        }
    }
}
