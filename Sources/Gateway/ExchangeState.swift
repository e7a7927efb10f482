// Everything that one request and its answer need while they are under way. Pooled: an idle connection has none.

internal import Exchange
internal import HTTP
internal import Policy
internal import Signing

/// What an exchange leaves to the end of a stage, where the same is done for all.
enum DueWork {
    case nothing
    /// The seal of a request with a short body.
    case seal
    /// The writing of the sealed request.
    case request
    /// The writing of what is left of the answer.
    case answer
}

/// One exchange's place in memory; pooled.
typealias ExchangeContext = Owned<ExchangeState>

/// The buffers and readers of one exchange. They are wiped when the context goes back to its pool, but for a long body
/// as it came: the next one writes over it, or else it is wiped a moment later (decision 0015).
struct ExchangeState: ~Copyable {
    // What each step looks at stands together: of a context that it comes to, a step reads few lines of memory.

    var exchange = Exchange()
    /// What is done at the end of this stage (`Worker.endStage`).
    var due = DueWork.nothing
    /// What came of it, until the exchange is told.
    var outcomeOfDue: Event?
    var method = Method.post
    var bodyIsOwn = false
    /// The request's last byte is in `input`.
    var bodyIsWhole = false
    /// The connection ends after this answer.
    var closes = false
    /// The caller took less than was offered.
    var stalled = false
    /// The answer is relayed in chunks of our own.
    var chunksOut = false
    /// The kernel has bytes of the answer for the caller.
    var answerIsOnWire = false
    /// It was set in this turn, and its timer is not armed yet.
    var deadlineIsNew = false
    /// What the running deadline limits; nil while none runs.
    var deadline: Deadline?
    /// The total was begun anew for the delivery of an answer that is whole.
    var deliveryIsBounded = false
    /// The inbound connection's slot.
    var inbound: UInt32 = 0
    /// The lent connection, or the one that is being opened for this exchange.
    var upstream: UpstreamConnection?
    var route: ServedRoute?
    /// Bytes of the sealed request that the kernel has.
    var written = 0
    /// Bytes of the answer's payload in `received` that may be written from where they lie.
    var pendingPayload = 0
    /// Monotonic milliseconds at which the whole must be done.
    var totalDeadline: UInt64 = 0
    /// From the caller, first byte is the request's.
    var input: ByteBuffer
    /// From the upstream. It has storage from the answer's first byte until the last was used (`Worker.answerBuffers`).
    var received = ByteBuffer()
    /// For the caller: head, framing, and what could not be written yet. It has storage while it has bytes, and between
    /// the parts of an answer (`Worker.outputBuffers`).
    var output = ByteBuffer()
    /// From its seal until all of it is written; what is left of one that was not is wiped as it goes.
    var sealed: SealedRequest?

    // What some steps look at.

    var reader = RequestReader()
    var answer = AnswerReader()
    /// What is noted for the request's log line and for the counts.
    var trail = RequestTrail()
    /// The body as it is examined and sent, where it is not the caller's own bytes: inflated, or with fields put in.
    var body = ByteBuffer(capacity: ExchangeState.bodyCapacity)
    /// The answer of a claimed request until the store has it, or the one that the store had (`KeptAnswer`).
    var held = ByteBuffer(capacity: ExchangeState.heldCapacity)
    /// The beginning of a 401's body, for its message.
    var denial = ByteBuffer(capacity: ExchangeState.denialCapacity)
    var key = KeyHold()
    var hasher = BodyHasher()
    /// Bytes of the body that the hasher has taken; -1 while it is not in use.
    var hashed = -1
    var digest: BodyDigest?
    /// nil until it is known, and where the request was refused before that.
    var caller: RequestCaller?
    /// The request's turn at its upstream's pace, waited for or held.
    var turn: PaceTicket?
    /// Fields about quotas for the answer: whole lines.
    var fields = ByteBuffer(capacity: 64)
    /// Follows the answer's body for the log; nil where that shows none.
    var answerRedactor: AnswerRedactor?
    /// Looks for ids in the answer's body; nil where the log shows none.
    var answerIDs: IDFinder?
    /// What the upstream's breaker said; nil where there is none, or it was not asked.
    var breakerVerdict: CircuitBreaker.Verdict?
    /// Bytes that this exchange has on the process's account of buffered bodies.
    var onAccount = 0
    /// Which of the credential's secrets the request was sealed with, 0 or 1.
    var secret = 0
    /// The first was refused.
    var triesOtherSecret = false
    /// The coding to be taken off the body.
    var coding: ContentCoding?
    /// A former request's long body is in `input`, behind what is readable.
    private(set) var hasLeftovers = false

    /// Bytes up to which a body is wiped at once.
    private static let wipedAtOnce = 32 * 1_024

    private let inputCapacity: Int
    private static let bodyCapacity = 1_024
    private static let heldCapacity = 64
    private static let denialCapacity = 64

    init(inputCapacity: Int) {
        self.inputCapacity = inputCapacity
        input = ByteBuffer(capacity: inputCapacity)
    }

    /// Bytes by which its buffers are larger than they were made.
    var outgrown: Int {
        input.capacity + body.capacity + held.capacity + denial.capacity
            - (inputCapacity + Self.bodyCapacity + Self.heldCapacity + Self.denialCapacity)
    }

    /// Gives the buffers that have grown back to their first size. They are empty.
    mutating func shrink() {
        if input.capacity > inputCapacity { input = ByteBuffer(capacity: inputCapacity) }
        if body.capacity > Self.bodyCapacity { body = ByteBuffer(capacity: Self.bodyCapacity) }
        if held.capacity > Self.heldCapacity { held = ByteBuffer(capacity: Self.heldCapacity) }
        if denial.capacity > Self.denialCapacity { denial = ByteBuffer(capacity: Self.denialCapacity) }
    }

    /// Ready for the next request of the same connection; bytes behind this one stay.
    mutating func resetForNext() {
        input.consume(min(reader.consumed, input.count))
        input.wipeRest()
        hasLeftovers = false
        reset()
    }

    /// Ready for the pool: nothing of the request is left in memory, but for a moment a long body. Chunks may have had
    /// fields behind them, and another request may have begun: then nothing is left.
    mutating func wipe() {
        let body = reader.body
        hasLeftovers = body.count > Self.wipedAtOnce && input.count == Int(body.end)
        if hasLeftovers { input.clear(wiping: Int(body.start)) } else { input.wipe() }
        reset()
    }

    /// Overwrites the long body of a former request, so far as no other bytes have come there.
    mutating func wipeLeftovers() {
        guard hasLeftovers else { return }
        hasLeftovers = false
        input.wipeRest()
    }

    private mutating func reset() {
        exchange = Exchange()
        reader.reset()
        received.wipe()
        output.wipe()
        if bodyIsOwn {
            body.wipe()
            bodyIsOwn = false
        }
        if key.isUsed || held.count > 0 {
            held.wipe()
            key = KeyHold()
        }
        if denial.count > 0 { denial.wipe() }
        sealed = nil
        if hashed >= 0 {
            hasher.reset()
            hashed = -1
        }
        digest = nil
        route = nil
        trail = RequestTrail()
        caller = nil
        turn = nil
        secret = 0
        triesOtherSecret = false
        fields.clear()
        answerRedactor = nil
        answerIDs = nil
        method = .post
        upstream = nil
        deadline = nil
        deadlineIsNew = false
        written = 0
        due = .nothing
        outcomeOfDue = nil
        chunksOut = false
        answerIsOnWire = false
        stalled = false
        deliveryIsBounded = false
        totalDeadline = 0
        bodyIsWhole = false
        coding = nil
        breakerVerdict = nil
        closes = false
        pendingPayload = 0
    }

    /// Where the body that is sent stands: in `body` where that is our own, else in `input`.
    var bodyToSend: ByteRange { bodyIsOwn ? ByteRange(0, body.count) : reader.body }

    /// Bytes of the sealed request's body.
    var sealedBodyLength: Int {
        switch sealed {
        case .none: 0
        case .some(let sealed): sealed.bodyLength
        }
    }
}
