// From events to the tree: which part of YAML a configuration may use.
// Relies on YAMLEvents for the syntax. Refuses anchors, aliases, tags, directives, several documents and deep nesting;
// they hide what is configured, or have no use here. JSON is a part of what is left.

internal import HTTP

/// Builds the tree of one file.
struct Composer: ~Copyable {
    /// Deepest nesting of lists and mappings.
    static let maxDepth = 16

    private var events: YAMLEvents
    private let report: Report
    /// Set when libyaml or we gave up: no further event is asked for.
    private var failed = false

    private init(events: consuming YAMLEvents, report: Report) {
        self.events = events
        self.report = report
    }

    /// The file's one document; nil where it is no YAML or has no content. All problems are in the report.
    static func compose(_ bytes: Span<UInt8>, report: Report) -> Node? {
        var composer = Composer(events: YAMLEvents(bytes), report: report)
        return composer.document()
    }

    private mutating func document() -> Node? {
        var root: Node?
        while !failed {
            let event = next()
            switch event.kind {
            case .streamEnd:
                if root == nil {
                    report.error(
                        Place(line: 1, column: 1), "", "the file is empty",
                        "Write at least listeners, credentials, upstreams and routes")
                }
                return root
            case .documentStart(let directives):
                if directives {
                    report.error(event.place, "", "YAML directives are not accepted", "Remove the % lines")
                }
                if root != nil {
                    report.error(event.place, "", "a second document begins", "Keep one document in the file")
                    return nil
                }
            case .mark, .failure, .sequenceEnd, .mappingEnd: break
            case .scalar, .sequenceStart, .mappingStart, .alias: root = node(event, depth: 0)
            }
        }
        return nil
    }

    /// The next event; a failure is reported here and stops everything.
    private mutating func next() -> YAMLEvent {
        let event = events.next()
        if case .failure(let words) = event.kind {
            failed = true
            report.error(event.place, "", words, "Correct the YAML; what follows was not read")
        }
        return event
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) -> Node {
        let at = event.place
        if event.hasAnchor {
            report.error(at, "", "anchors (&) are not accepted", "Write the value out where it is used")
        }
        if event.hasTag { report.error(at, "", "tags (!) are not accepted", "Remove the tag; quotes make a text") }
        switch event.kind {
        case .scalar(let text, let isPlain): return Node(place: at, value: .scalar(text, isPlain: isPlain))
        case .sequenceStart, .mappingStart:
            if depth == Self.maxDepth {
                failed = true  // Also bounds this recursion.
                report.error(at, "", "more than \(Self.maxDepth) levels of nesting", "Remove a level")
                break
            }
            if case .sequenceStart = event.kind { return Node(place: at, value: .sequence(sequence(depth: depth + 1))) }
            return Node(place: at, value: .mapping(mapping(depth: depth + 1)))
        case .alias: report.error(at, "", "aliases (*) are not accepted", "Write the value out where it is used")
        case .sequenceEnd, .mappingEnd, .documentStart, .mark, .streamEnd, .failure: break
        }
        return Node(place: at, value: .refused)
    }

    private mutating func sequence(depth: Int) -> [Node] {
        var nodes: [Node] = []
        while !failed {
            let event = next()
            if case .sequenceEnd = event.kind { break }
            nodes.append(node(event, depth: depth))
        }
        return nodes
    }

    private mutating func mapping(depth: Int) -> [Node.Entry] {
        var entries: [Node.Entry] = []
        while !failed {
            let event = next()
            if case .mappingEnd = event.kind { break }
            let key = node(event, depth: depth)
            guard !failed else { break }
            let value = node(next(), depth: depth)
            switch key.value {
            case .scalar(let text, _): entries.append(Node.Entry(key: text, place: key.place, node: value))
            case .sequence, .mapping:
                report.error(
                    key.place, "", "a key must be a single word, not \(key.kind)", "Quote texts that begin with { or [")
            case .refused: break
            }
        }
        return entries
    }
}
