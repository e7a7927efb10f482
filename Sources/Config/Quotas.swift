// The key `quotas`: how much callers may send.
// Relies on Pace.swift for rates with bursts. Refuses more quotas than a request is to be counted under, and a count by
// the same thing twice.

internal import Policy

/// The words of the key `per`.
private enum QuotaWord: String, CaseIterable {
    case caller, route, credential, method

    var dimension: QuotaDimensions {
        switch self {
        case .caller: .caller
        case .route: .route
        case .credential: .credential
        case .method: .method
        }
    }
}

extension Field {
    /// All quotas; those that are wrong are missing in it.
    func quotas(hasCallers: Bool) -> [QuotaSettings] {
        var quotas: [QuotaSettings] = []
        for element in elements(max: QuotaSettings.maxQuotas) ?? [] {
            guard let quota = element.quota(hasCallers: hasCallers) else { continue }
            if quotas.contains(where: { $0.name == quota.name }) {
                element.error("a second quota is called \(quota.name)", "Give each its own name")
            }
            quotas.append(quota)
        }
        return quotas
    }

    private func quota(hasCallers: Bool) -> QuotaSettings? {
        guard let keys = mapping(Vocabulary.quota) else { return nil }
        let name = keys.required("name", "Write name: per-caller")?.name()
        let per = keys.required("per", "Write per: [caller], or [] for one count of all")?
            .dimensions(hasCallers: hasCallers)
        let rate = keys.required("rate", "Write rate: 50/s")?.rate()
        let limit = keys.rateLimit(rate, burst: rate?.count ?? 1)
        let isReportOnly = keys["report_only"]?.boolean() ?? false
        guard let name, let per, let limit else { return nil }
        return QuotaSettings(name: name, per: per, rate: limit, isReportOnly: isReportOnly)
    }

    private func dimensions(hasCallers: Bool) -> QuotaDimensions? {
        guard let elements = elements(max: QuotaWord.allCases.count, mayBeEmpty: true) else { return nil }
        var per: QuotaDimensions = []
        for element in elements {
            guard let word = element.word(QuotaWord.self) else { continue }
            if !per.insert(word.dimension).inserted { element.error("is there twice", "Remove one of them") }
            if word == .caller && !hasCallers {
                element.warn("there are no callers, so that all count as one", "Add callers, or remove it")
            }
        }
        return per
    }
}
