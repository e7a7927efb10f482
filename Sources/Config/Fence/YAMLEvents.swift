// libyaml's event parser behind safe types: events with places come out, no pointer does.
// Relies on libyaml 0.2 and on owning a copy of the text for as long as the parser reads it.
// Refuses nothing but what is not YAML in UTF-8; what of YAML we accept is the composer's to say.

internal import CYAML

/// What the parser met, and where.
struct YAMLEvent {
    /// The kinds that matter to us.
    enum Kind {
        case scalar(String, isPlain: Bool)
        case sequenceStart, sequenceEnd
        case mappingStart, mappingEnd
        case alias
        /// A document begins; `directives`: with `%YAML` or `%TAG`.
        case documentStart(directives: Bool)
        /// Stream marks and the end of a document.
        case mark
        case streamEnd
        /// libyaml's words for what is wrong; nothing follows.
        case failure(String)
    }

    var kind: Kind
    var place: Place
    var hasAnchor = false
    var hasTag = false
}

/// One parser over one text. Noncopyable: libyaml's state has one owner.
@safe
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutablePointer<UInt8>
    private let count: Int
    /// Whether libyaml had memory to begin.
    private let isReady: Bool

    /// Copies `bytes`.
    init(_ bytes: Span<UInt8>) {
        // A byte order mark is no part of the text; libyaml passes over it only where it guesses the encoding.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let start = bytes.count >= 3 && (0..<3).allSatisfy { bytes[$0] == mark[$0] } ? 3 : 0
        count = bytes.count - start
        // SAFETY: fresh storage with at least one byte, all initialised, owned until deinit; the index stays below it.
        unsafe text = .allocate(capacity: count + 1)
        unsafe text.initialize(repeating: 0, count: count + 1)
        for index in 0..<count { unsafe text[index] = bytes[start + index] }
        // SAFETY: yaml_parser_initialize fills the whole struct, also without memory, so that it can be deleted.
        unsafe parser = .allocate(capacity: 1)
        isReady = unsafe yaml_parser_initialize(parser) == 1
        guard isReady else { return }
        // SAFETY: the text outlives the parser: both are freed in deinit, the parser first.
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, text, count)
    }

    deinit {
        // SAFETY: each is freed once; the text is wiped, since an operator may have written a secret into it.
        unsafe yaml_parser_delete(parser)
        unsafe text.update(repeating: 0, count: count + 1)
        unsafe text.deallocate()
        unsafe parser.deallocate()
    }

    /// The next event. Not to be called after `streamEnd` or `failure`.
    mutating func next() -> YAMLEvent {
        guard isReady else {
            return YAMLEvent(kind: .failure("no memory to read it"), place: Place(line: 1, column: 1))
        }
        // SAFETY: yaml_parser_parse fills the event or leaves it zeroed; it is deleted once, after its text was copied.
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { return failure() }
        defer { unsafe yaml_event_delete(&event) }
        let place = unsafe Place(line: event.start_mark.line + 1, column: event.start_mark.column + 1)
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let value = unsafe String(decoding: bytes, as: UTF8.self)
            let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            return unsafe YAMLEvent(
                kind: .scalar(value, isPlain: isPlain), place: place, hasAnchor: scalar.anchor != nil,
                hasTag: scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return unsafe YAMLEvent(
                kind: .sequenceStart, place: place, hasAnchor: start.anchor != nil, hasTag: start.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return unsafe YAMLEvent(
                kind: .mappingStart, place: place, hasAnchor: start.anchor != nil, hasTag: start.tag != nil)
        case YAML_DOCUMENT_START_EVENT:
            let start = unsafe event.data.document_start
            let directives =
                unsafe start.version_directive != nil || start.tag_directives.start != start.tag_directives.end
            return YAMLEvent(kind: .documentStart(directives: directives), place: place)
        case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .sequenceEnd, place: place)
        case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mappingEnd, place: place)
        case YAML_ALIAS_EVENT: return YAMLEvent(kind: .alias, place: place)
        case YAML_STREAM_END_EVENT: return YAMLEvent(kind: .streamEnd, place: place)
        default: return YAMLEvent(kind: .mark, place: place)
        }
    }

    private func failure() -> YAMLEvent {
        // SAFETY: libyaml's messages are literals of the program; the parser is ours and not running.
        var words = "not YAML"
        if let problem = unsafe parser.pointee.problem { words = unsafe String(cString: problem) }
        if let context = unsafe parser.pointee.context {
            let line = unsafe parser.pointee.context_mark.line + 1
            words = unsafe String(cString: context) + " from line \(line) on: " + words
        }
        guard unsafe parser.pointee.error == YAML_READER_ERROR else {
            let mark = unsafe parser.pointee.problem_mark
            return YAMLEvent(kind: .failure(words), place: Place(line: mark.line + 1, column: mark.column + 1))
        }
        return unsafe YAMLEvent(kind: .failure(words), place: place(ofByte: parser.pointee.problem_offset))
    }

    /// The place of a byte, for errors of the decoder, which knows only offsets.
    private func place(ofByte offset: Int) -> Place {
        var place = Place(line: 1, column: 1)
        // SAFETY: the offset is held below the count of the bytes that we own.
        for index in 0..<min(max(offset, 0), count) {
            let byte = unsafe text[index]
            if byte == UInt8(ascii: "\n") {
                place = Place(line: place.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 {
                place.column += 1
            }
        }
        return place
    }
}
