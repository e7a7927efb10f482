// What the operator says of callers' quotas: the key `quotas`. Config fills it; LimitTable counts by it.

/// What tells the counts of a quota apart.
package struct QuotaDimensions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let caller = QuotaDimensions(rawValue: 1)
    package static let route = QuotaDimensions(rawValue: 2)
    package static let credential = QuotaDimensions(rawValue: 4)
    package static let method = QuotaDimensions(rawValue: 8)
}

/// One quota of the key `quotas`.
package struct QuotaSettings: Equatable, Sendable {
    /// Most quotas: each may cost every request a look.
    package static let maxQuotas = 8
    /// Most bytes of a name.
    package static let maxName = 64

    /// Shown to callers: see `isName`.
    package var name: String
    /// One count per combination of these; none: one count for all requests.
    package var per: QuotaDimensions
    package var rate: RateLimitSettings
    /// It counts, and says what it would have refused, and refuses nothing.
    package var isReportOnly: Bool

    package init(name: String, per: QuotaDimensions, rate: RateLimitSettings, isReportOnly: Bool = false) {
        self.name = name
        self.per = per
        self.rate = rate
        self.isReportOnly = isReportOnly
    }

    /// Whether a name can stand in a structured field's string as it is: 1 ... 64 visible ASCII characters, neither
    /// quote nor backslash.
    package static func isName(_ name: String) -> Bool {
        (1...maxName).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }
}
