// The text that is shown of a body, as it is being written: names, treatments, and the bound on its length. Relies on
// events that come in the order of a JSON text. Refuses, by leaving it out, whatever would exceed the bound.

internal import HTTP

/// A redacted body in the making.
struct RedactionSheet: ~Copyable {
    /// What a value stands under.
    fileprivate struct Context: BitwiseCopyable {
        /// Its name's place in the rules; nil for a name that is not known.
        var name: Int?
        var nameLength = 0
        var isHidden = false
        var isLastFour = false
        /// Empty where type and length are shown.
        var forms: ShownForms = []
        /// Pointers whose path leads here, and how many names it has.
        var live: UInt64 = 0
        var level = 0
    }

    private struct Frame: BitwiseCopyable {
        var isObject: Bool
        var isEmpty = true
        /// Of an array: what its elements stand under. Of an object: whose path its members go on with.
        var context: Context
    }

    /// A state to which the sheet can go back.
    struct Mark: BitwiseCopyable {
        fileprivate var count: Int
        fileprivate var frames: Int
        fileprivate var isEmpty: Bool
        fileprivate var context: Context
    }

    /// Beside what is written: `,"...":"<cut>"`.
    private static let reserved = 16
    private static let deepest = 3 * JSONStream.maxDepth

    private(set) var text: ByteBuffer
    private let limit: Int
    private var rules: RedactionRules
    private var direction = BodyDirection.answer
    private var frames: [Frame] = []
    /// Of the value that comes next.
    private var context = Context()
    /// Open arrays and objects within a hidden value.
    private var skipping = 0
    private var isCut = false

    init(_ rules: RedactionRules, limit: Int) {
        self.rules = rules
        self.limit = limit
        text = ByteBuffer(capacity: limit + 1_024)
        frames.reserveCapacity(Self.deepest)
    }

    mutating func begin(_ rules: RedactionRules, _ direction: BodyDirection) {
        self.rules = rules
        self.direction = direction
        text.clear()
        frames.removeAll(keepingCapacity: true)
        context = Context(live: rules.live)
        skipping = 0
        isCut = false
    }

    /// Whether the next value may be shown in any way, so that a string is worth being read as JSON.
    var mayShow: Bool { skipping == 0 && !isCut && !context.isHidden }

    /// The state in front of the next value; only where `mayShow`.
    func mark() -> Mark {
        Mark(count: text.count, frames: frames.count, isEmpty: frames.last?.isEmpty ?? true, context: context)
    }

    /// Forgets what was written since `mark`.
    mutating func restore(_ mark: Mark) {
        text.truncate(to: mark.count)
        frames.removeLast(frames.count - mark.frames)
        if !frames.isEmpty { frames[frames.count - 1].isEmpty = mark.isEmpty }
        context = mark.context
        skipping = 0
        isCut = false
    }
}

// Events.
extension RedactionSheet {
    /// A name: the beginning of its un-escaped bytes, and how many it has.
    mutating func takeName(_ name: Span<UInt8>, length: Int) {
        guard skipping == 0 && !isCut, let parent = frames.last?.context else { return }
        context = Context(name: nil, nameLength: length, level: parent.level + 1)
        guard name.count == length, let index = rules.index(of: name) else { return }
        context.name = index
        context.live = rules.follow(parent.live, index, level: parent.level)
        switch rules.treatment(index, direction, followed: context.live, level: parent.level) {
        case .length: break
        case .shown(let forms): context.forms = forms
        case .lastFour: context.isLastFour = true
        case .hidden: context.isHidden = true
        }
    }

    mutating func open(isObject: Bool) {
        if skipping > 0 { skipping += 1 }
        guard skipping == 0, let start = beginItem() else { return }
        if context.isHidden {
            text.append("\"<hidden>\"")
            endItem(start)
            skipping = 1
            return
        }
        text.append(byte: isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
        guard endItem(start, opens: 1) else { return }
        var inner = context
        // Elements could be a number in pieces: of them only words are shown.
        inner.isLastFour = false
        inner.forms = isObject || inner.forms.isDisjoint(with: [.word, .plainWord]) ? [] : .plainWord
        frames.append(Frame(isObject: isObject, context: inner))
        context = inner
    }

    mutating func close() {
        if skipping > 0 {
            skipping -= 1
            if skipping == 0 { endValue() }
            return
        }
        guard !isCut, let frame = frames.popLast() else { return }
        text.append(byte: frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        endValue()
    }

    /// A string or number; `isWhole`: `value` is all of it.
    mutating func takeScalar(_ value: Span<UInt8>, length: Int, isNumber: Bool, isWhole: Bool) {
        guard let start = beginItem() else { return }
        if context.isHidden {
            text.append("\"<hidden>\"")
        } else if !isWhole || !appendShown(value, isNumber: isNumber) {
            text.append(isNumber ? "\"<number:" : "\"<string:")
            text.appendDecimal(length)
            text.append(">\"")
        }
        endItem(start)
        endValue()
    }

    /// True, false, or nil for null.
    mutating func takeWord(_ truth: Bool?) {
        guard let start = beginItem() else { return }
        if context.isHidden {
            text.append("\"<hidden>\"")
        } else if let truth {
            text.append(context.forms.isDisjoint(with: .all) ? "\"<boolean>\"" : truth ? "true" : "false")
        } else {
            text.append("null")
        }
        endItem(start)
        endValue()
    }

    private mutating func appendShown(_ value: Span<UInt8>, isNumber: Bool) -> Bool {
        if context.isLastFour { return text.appendLastFour(value) }
        return !context.forms.isEmpty && text.appendShown(value, isNumber: isNumber, as: context.forms)
    }
}

// Commas, names and the bound.
extension RedactionSheet {
    /// Writes what stands in front of a value; nil where nothing is written any more.
    private mutating func beginItem() -> Int? {
        guard skipping == 0 && !isCut else { return nil }
        let start = text.count
        guard let frame = frames.last else { return start }
        if !frame.isEmpty { text.append(byte: UInt8(ascii: ",")) }
        guard frame.isObject else { return start }
        if let name = context.name {
            text.append(rules.printed(name).span)
        } else {
            text.append("\"<name:")
            text.appendDecimal(context.nameLength)
            text.append(">\"")
        }
        text.append(byte: UInt8(ascii: ":"))
        return start
    }

    /// Takes the item from `start` back and ends the text where there is no room for it. `opens`: levels that it opens.
    @discardableResult
    private mutating func endItem(_ start: Int, opens: Int = 0) -> Bool {
        guard text.count + frames.count + opens + Self.reserved <= limit else {
            text.truncate(to: start)
            cut()
            return false
        }
        if !frames.isEmpty { frames[frames.count - 1].isEmpty = false }
        return true
    }

    /// Says that something is left out, and closes what is open.
    private mutating func cut() {
        isCut = true
        if let frame = frames.last {
            if !frame.isEmpty { text.append(byte: UInt8(ascii: ",")) }
            text.append(frame.isObject ? "\"...\":\"<cut>\"" : "\"<cut>\"")
        }
        for frame in frames.reversed() { text.append(byte: frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) }
    }

    /// What comes next in an array stands under the same as what came.
    private mutating func endValue() {
        if let frame = frames.last { context = frame.context }
    }
}
