// The quotas in the form in which requests are charged: names of what is counted as numbers, fields as bytes.
// Relies on Policy's table for every decision.

internal import HTTP
internal import Policy
internal import Signing

/// The quotas of one configuration. Immutable.
final class ServedQuotas: Sendable {
    /// 128 bits that stand for a name.
    struct Name: Sendable {
        var high: UInt64
        var low: UInt64

        /// Of a text: SHA-512, so that no two names meet.
        init(_ text: String) {
            let bytes = Array(text.utf8)
            let digest = BodyDigest(of: bytes.span)
            high = Self.word(digest, 0)
            low = Self.word(digest, 8)
        }

        private static func word(_ digest: borrowing BodyDigest, _ start: Int) -> UInt64 {
            var word: UInt64 = 0
            for index in start..<start + 8 { word = word << 8 | UInt64(digest.bytes[index]) }
            return word
        }

        /// Both together; the order matters. Multiplication by odd numbers and shifts: each bit of either tells.
        func with(_ other: Name) -> Name {
            var both = self
            both.high = (high ^ other.low &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
            both.low = (low ^ other.high &* 0x94D0_49BB_1331_11EB) &* 0xD6E8_FEB8_6659_FD93
            both.high ^= both.high >> 29 ^ both.low >> 31
            both.low ^= both.low >> 32 ^ both.high >> 27
            return both
        }
    }

    let rules: QuotaRules
    /// Whether an answer that passes says what is left.
    let isTold: Bool
    private let names: [Name]
    private let methods: [Name]
    /// The whole line `RateLimit-Policy`, with its end.
    private let policy: [UInt8]

    init(_ quotas: [QuotaSettings], isTold: Bool) {
        rules = QuotaRules(quotas)
        self.isTold = isTold
        // A changed rate counts anew: the old count says nothing under it.
        names = quotas.map { Name("\($0.name) \($0.rate.count)/\($0.rate.perNanoseconds) \($0.rate.burst)") }
        methods = Method.allCases.map { Name("\($0.name)") }
        var line = ByteBuffer(capacity: 256)
        line.append("RateLimit-Policy: ")
        for (index, quota) in quotas.enumerated() {
            if index > 0 { line.append(", ") }
            quota.writePolicy(to: &line)
        }
        line.append("\r\n")
        policy = line.copied()
    }

    /// What a request is charged to.
    func checks(caller: Name, route: ServedRoute, method: Method) -> LimitChecks {
        var checks = LimitChecks()
        for index in names.indices {
            let per = rules.quotas[index].per
            var name = names[index]
            if per.contains(.caller) { name = name.with(caller) }
            if per.contains(.route) { name = name.with(route.quotaName) }
            if per.contains(.credential) { name = name.with(route.quotaCredential) }
            if per.contains(.method) { name = name.with(methods[Int(method.rawValue)]) }
            checks.add(index, LimitKey(high: name.high, low: name.low))
        }
        return checks
    }

    private static func append(_ bytes: [UInt8], to fields: inout ByteBuffer) { fields.append(bytes.span) }

    /// Appends the lines `RateLimit-Policy` and `RateLimit` for an answer.
    func write(_ checks: LimitChecks, _ verdict: LimitVerdict, to fields: inout ByteBuffer) {
        Self.append(policy, to: &fields)
        fields.append("RateLimit: ")
        for position in 0..<checks.count {
            let index = checks.quota(position)
            if position > 0 { fields.append(", ") }
            let standing = rules.limits[index].standing(verdict.state(position), at: verdict.time)
            rules.quotas[index].write(standing, to: &fields)
        }
        fields.append("\r\n")
    }
}
