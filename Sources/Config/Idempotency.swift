// The key `idempotency` of a route: where the caller's key is, and what becomes of a repeat.
// Relies on what the route and its credential say, read before. Refuses places that hold no key of the caller's, more
// fields than one scan of a body looks for, and protection without a store that gives it.

internal import HTTP
internal import Policy
internal import Signing

/// What a route's idempotency depends on beside its own keys.
struct IdempotencyContext {
    var kind: RouteKind
    /// nil where the route's credential is missing or wrong, which was reported.
    var credential: CredentialSettings?
    /// Whether the file has the key `store`.
    var hasStore: Bool
}

extension Field {
    /// The settings of one route; nil where the place of the key is missing or wrong.
    func idempotency(_ context: IdempotencyContext) -> IdempotencySettings? {
        guard let keys = mapping(Vocabulary.idempotency) else { return nil }
        if !context.hasStore {
            error(
                "there is no store that would keep its keys",
                "Add store: {kind: sqlite, path: /var/lib/countersign/idempotency.db, key: \"file:/path\"}")
        }
        let volatile = keys["volatile"]?.volatileFields() ?? []
        let sources = keys.required("key", "Write key: /idempotent_key, or the name of a header")?
            .keySources(volatile: volatile, context.credential)
        var settings = IdempotencySettings(keys: sources ?? [])
        settings.volatile = volatile
        if let isRequired = keys["required"]?.boolean() { settings.required = isRequired }
        if let word = keys["on_store_failure"]?.word(OnStoreFailure.self) { settings.onStoreFailure = word }
        if let time = keys["wait"]?.milliseconds(0...600_000) { settings.waitMilliseconds = time }
        readRepeats(keys, into: &settings)
        readErrors(keys, context.kind, into: &settings)
        readCodes(keys, into: &settings)
        return settings.keys.isEmpty ? nil : settings
    }

    private func readRepeats(_ keys: Mapping, into settings: inout IdempotencySettings) {
        if let word = keys["on_unknown"]?.word(OnUnknown.self) { settings.onUnknown = word }
        guard let field = keys["repeat_after"], let time = field.milliseconds(0...3_600_000) else { return }
        settings.repeatAfterMilliseconds = time
        switch settings.onUnknown {
        case .resend: break
        case .refuse:
            field.warn("has no effect where on_unknown is refuse", "Remove the key, or write on_unknown: resend")
        }
    }

    private func readErrors(_ keys: Mapping, _ kind: RouteKind, into settings: inout IdempotencySettings) {
        guard let field = keys["on_error"], let word = field.word(OnError.self) else { return }
        settings.onError = word
        switch (word, kind) {
        case (.free, .push), (.free, .pull):
            field.warn(
                "a 5xx may come after the money moved, and a repeat would move it again",
                "Write unknown, unless the upstream promises that nothing was done")
        case (.free, .read), (.free, .tokenise), (.free, .create), (.unknown, _), (.final, _): break
        }
    }

    private func readCodes(_ keys: Mapping, into settings: inout IdempotencySettings) {
        settings.code = keys["code"]?.pointer()
        guard let field = keys["not_final"] else { return }
        for element in field.elements(max: IdempotencySettings.maxCodes, mayBeEmpty: true) ?? [] {
            if let range = element.codeRange() {
                settings.notFinalRanges.append(range)
                continue
            }
            guard let code = element.answerCode() else { continue }
            if settings.notFinal.contains(code) { element.error("is there twice", "Remove one of them") }
            settings.notFinal.append(code)
        }
        if keys["code"] == nil, !(settings.notFinal.isEmpty && settings.notFinalRanges.isEmpty) {
            field.error("needs code, the place of the code in an answer", "Write code: /status")
        }
    }

    /// Two whole numbers of at most nine digits with a hyphen between; nil where the value is something else.
    private func codeRange() -> ClosedRange<Int>? {
        guard case .scalar(let text, isPlain: true) = node.value else { return nil }
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ isWholeNumber($0) && $0.utf8.count <= 9 && !$0.hasPrefix("-") }),
            let first = Int(parts[0]), let last = Int(parts[1]), first < last
        else { return nil }
        return first...last
    }

    /// A code as it reads in an answer: 104 and "104" are the same.
    private func answerCode() -> String? {
        guard let text = text(max: 64) else { return nil }
        if case .scalar(_, isPlain: true) = node.value, !isWholeNumber(text) {
            return refuse("is neither a whole number nor a range", "Write 104 or 500-599; put texts in quotes")
        }
        return text
    }
}

// Places in bodies and heads.
extension Field {
    /// A place in a JSON body.
    func pointer() -> JSONPointer? {
        guard let text = text(max: 1_024) else { return nil }
        if let pointer = JSONPointer(text) { return pointer }
        return refuse(
            "is not the name of a field", "Write a JSON pointer of at most \(JSONPointer.maxDepth) names: /name")
    }

    fileprivate func volatileFields() -> [JSONPointer] {
        var pointers: [JSONPointer] = []
        for element in elements(max: IdempotencySettings.maxVolatile, mayBeEmpty: true) ?? [] {
            guard let pointer = element.pointer() else { continue }
            if pointers.contains(where: { $0.overlaps(pointer) }) {
                element.error("overlaps another volatile field", "Name each place in the body once")
            }
            pointers.append(pointer)
        }
        return pointers
    }

    /// One place or a list of them; those that are wrong are missing.
    fileprivate func keySources(volatile: [JSONPointer], _ credential: CredentialSettings?) -> [KeySource] {
        var places = [self]
        if case .sequence = node.value { places = elements(max: IdempotencySettings.maxKeys) ?? [] }
        let taken = credential.map { BodyAdditions($0).query.pointers } ?? []
        var sources: [KeySource] = []
        var pointers = taken.count
        for place in places {
            guard let source = place.keySource() else { continue }
            if sources.contains(source) { place.error("is there twice", "Remove one of them") }
            sources.append(source)
            guard case .pointer(let pointer) = source else { continue }
            pointers += 1
            place.checkKey(pointer, volatile: volatile, taken: taken)
        }
        if pointers > JSONQuery.maxPointers {
            error(
                "the key and the credential's fields are \(pointers) places in the body, more than the "
                    + "\(JSONQuery.maxPointers) that one reading looks for",
                "Remove some of the credential's fields, or take the key from a header")
        }
        return sources
    }

    private func checkKey(_ pointer: JSONPointer, volatile: [JSONPointer], taken: [JSONPointer]) {
        if volatile.contains(where: { pointer.names.starts(with: $0.names) }) {
            error("is volatile: a key is the same in every repeat", "Remove it from volatile")
        }
        if taken.contains(where: pointer.overlaps) {
            error("overlaps a field that the credential sets or an API key's place", "Name a field that callers choose")
        }
    }

    private func keySource() -> KeySource? {
        guard let text = text(max: 1_024) else { return nil }
        if text.hasPrefix("/") { return pointer().map { .pointer($0) } }
        let name = text.lowercased()
        guard isName(name) else {
            return refuse(
                "is no place of a key", "Write a JSON pointer such as /idempotent_key, or the name of a header")
        }
        // A header that means something else, or that an upstream could take for one that does.
        let bytes = Array(name.utf8)
        switch KnownHeader.mistakable(bytes.span) {
        case .other where !name.hasPrefix("content-"), .idempotencyKey: return .header(name)
        default: return refuse("this header has another meaning", "Write Idempotency-Key or a header of your own")
        }
    }
}

/// An integer of JSON with at most 18 digits.
private func isWholeNumber(_ text: String) -> Bool {
    let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
    guard (1...18).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
    return digits.first != UInt8(ascii: "0") || text == "0"
}

extension JSONPointer {
    /// Whether the places are the same or one holds the other.
    fileprivate func overlaps(_ other: JSONPointer) -> Bool {
        names.starts(with: other.names) || other.names.starts(with: names)
    }
}
