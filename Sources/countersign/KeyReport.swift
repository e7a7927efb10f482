// Keys of the store in words: as a table, one by one, and as JSON.
// Relies on listings, which have no answers in them. Refuses nothing.

internal import Policy
internal import Store

/// The states as the command names them.
enum KeyStateName: String, CaseIterable {
    case unknown
    case inFlight = "in-flight"
    case answered
    case done

    static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }

    init(_ kind: StateKind) {
        self =
            switch kind {
            case .inFlight: .inFlight
            case .answered: .answered
            case .done: .done
            case .unknown: .unknown
            }
    }

    var kind: StateKind {
        switch self {
        case .unknown: .unknown
        case .inFlight: .inFlight
        case .answered: .answered
        case .done: .done
        }
    }

    /// What the state means.
    var words: String {
        switch self {
        case .unknown: "of unknown outcome: it may have been carried out"
        case .inFlight:
            "in flight, or lost with its process: then its outcome becomes unknown when a gateway next opens the store"
        case .answered: "answered: repeats get the kept answer"
        case .done: "done: it was carried out, and its answer is not kept; repeats get 409"
        }
    }
}

/// The store's times by the wall clock.
struct StoreDates {
    /// The store's clock and the wall clock at the same moment, now.
    let storeMilliseconds: Int64
    let wallMilliseconds: Int64

    /// How long ago a time of the store was, in seconds; 0 or more.
    func age(_ time: Int64) -> Int64 { max(0, storeMilliseconds - time) / 1_000 }

    /// A time of the store in Unix seconds.
    func unixSeconds(_ time: Int64) -> Int64 { wallMilliseconds / 1_000 - age(time) }

    /// A time of the store such as `2026-11-20T10:13:00Z (5 min)`.
    func text(_ time: Int64) -> String { "\(Self.utc(unixSeconds(time))) (\(Self.length(age(time))))" }

    /// The whole units of a length of time.
    static func length(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }

    /// RFC 3339. The calendar by whole eras of 400 years, which begin in March.
    static func utc(_ unixSeconds: Int64) -> String {
        let seconds = max(0, unixSeconds)
        let days = seconds / 86_400 + 719_468
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = days / 146_097 * 400 + yearOfEra + (month >= 10 ? 1 : 0)
        let date = "\(year)-\(two(month >= 10 ? month - 9 : month + 3))-\(two(day))"
        return date + "T\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
    }

    private static func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
}

/// Listings in words.
struct KeyReport {
    private let dates: StoreDates

    init(_ dates: StoreDates) { self.dates = dates }

    /// For people: a line for each key.
    func table(_ listings: [KeyListing], isCut: Bool) -> String {
        guard !listings.isEmpty else { return "There are no such keys." }
        var rows = [["ID", "STATE", "ROUTE", "STATUS", "ATTEMPTS", "CLAIMED", "CHANGED"]]
        rows += listings.map { listing in
            [
                listing.key.shortName, KeyStateName(listing.kind).rawValue, Self.plain(listing.route),
                status(listing) ?? "-", "\(listing.attempts)", dates.text(listing.claimedAt),
                dates.text(listing.changedAt),
            ]
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            zip(row, widths).map { $0.padded(to: $1 + 2) }.joined().trimmed
        }
        if listings.contains(where: { $0.kind == .inFlight }) {
            lines.append("in-flight: \(KeyStateName.inFlight.words).")
        }
        if isCut { lines.append("There are more; --limit says how many are shown.") }
        return lines.joined(separator: "\n")
    }

    /// For people: one key.
    func text(_ listing: KeyListing) -> String {
        [
            ("id", listing.key.name), ("state", KeyStateName(listing.kind).words),
            ("route", Self.plain(listing.route)), ("status", status(listing) ?? "-"),
            ("attempts", "\(listing.attempts)"), ("claimed", dates.text(listing.claimedAt)),
            ("changed", dates.text(listing.changedAt)),
        ].map { $0.padded(to: 10) + $1 }.joined(separator: "\n")
    }

    /// One object on one line.
    func json(_ listings: [KeyListing], isCut: Bool) -> String {
        "{\"keys\":[\(listings.map(json).joined(separator: ","))],\"more\":\(isCut)}"
    }

    /// One object on one line. Times are Unix seconds, ages seconds.
    func json(_ listing: KeyListing) -> String {
        let members = [
            ("id", quoted(listing.key.name)), ("state", quoted(KeyStateName(listing.kind).rawValue)),
            ("route", quoted(listing.route)), ("status", status(listing) ?? "null"),
            ("attempts", "\(listing.attempts)"), ("claimed", "\(dates.unixSeconds(listing.claimedAt))"),
            ("claimed_age", "\(dates.age(listing.claimedAt))"),
            ("changed", "\(dates.unixSeconds(listing.changedAt))"),
            ("changed_age", "\(dates.age(listing.changedAt))"),
        ]
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    /// HTTP status of the outcome; nil where there is none, or none that is known.
    private func status(_ listing: KeyListing) -> String? {
        listing.status.flatMap { $0 == 0 ? nil : "\($0)" }
    }

    /// A name out of a file: what a terminal would obey is shown as ?.
    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? $0 : "?" }))
    }
}

extension String {
    /// Without the spaces at its end.
    fileprivate var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
