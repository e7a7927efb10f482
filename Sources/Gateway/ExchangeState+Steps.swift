// Steps that concern several buffers of an exchange at once. Each names its buffers as parameters: so the compiler sees
// that they are different ones.

internal import Exchange
internal import HTTP
internal import Signing

extension ExchangeState {
    // MARK: - The request

    /// A head that is not whole, or refused, may wait for long: what lies behind it goes.
    mutating func readHead(_ limits: HTTPLimits) -> HeadProgress {
        let progress = reader.readHead(input, limits: limits)
        if progress != .complete { wipeLeftovers() }
        return progress
    }

    /// Once the request is whole, or refused, no more of its body comes over what lies behind it: that goes.
    mutating func readBody(_ limits: HTTPLimits) -> RequestReader.BodyProgress {
        let progress = reader.readBody(&input, limits: limits)
        if progress != .needMore { wipeLeftovers() }
        return progress
    }

    /// Feeds the hasher with a part of what the caller sent.
    mutating func hash(_ range: ByteRange) { Self.hash(range, of: input, &hasher) }

    private static func hash(_ range: ByteRange, of input: borrowing ByteBuffer, _ hasher: inout BodyHasher) {
        hasher.update(input.bytes.slice(range))
    }

    /// The digest of the body as it is sent, of which the hasher may have a part already.
    mutating func digestOfBody() -> BodyDigest {
        if let digest { return digest }
        let whole = bodyToSend
        let made: BodyDigest
        if bodyIsOwn {
            made = Self.digest(whole, of: body, &hasher)
        } else if hashed > 0 {
            hash(ByteRange(Int(whole.start) + hashed, Int(whole.end)))
            made = hasher.finish()
        } else {
            made = Self.digest(whole, of: input, &hasher)
        }
        hashed = -1
        digest = made
        return made
    }

    private static func digest(
        _ range: ByteRange, of bytes: borrowing ByteBuffer, _ hasher: inout BodyHasher
    ) -> BodyDigest {
        hasher.digest(bytes.bytes.slice(range))
    }

    /// Makes the body our own copy, where it is not yet.
    mutating func ownBody() {
        guard !bodyIsOwn else { return }
        bodyIsOwn = true
        Self.append(reader.body, of: input, to: &body)
    }

    private static func append(_ range: ByteRange, of input: borrowing ByteBuffer, to body: inout ByteBuffer) {
        body.append(input.bytes.slice(range))
    }

    // MARK: - The answer

    mutating func nextStep(_ limits: HTTPLimits, _ end: StreamEnd?) -> AnswerReader.Step {
        answer.next(&received, limits: limits, end: end)
    }

    /// Drops payload that was used.
    mutating func dropPayload(_ count: Int) { answer.consume(count, &received) }

    /// Puts payload into the output as a chunk of our own.
    mutating func gatherChunk(_ count: Int) {
        output.appendChunkSize(count)
        Self.append(ByteRange(0, count), of: received, to: &output)
        output.append("\r\n")
        dropPayload(count)
    }

    /// Puts payload behind the head in the output.
    mutating func gatherPayload(_ count: Int) {
        Self.append(ByteRange(0, count), of: received, to: &output)
        dropPayload(count)
    }

    /// Takes payload into the answer that is held.
    mutating func holdPayload(_ count: Int) {
        Self.append(ByteRange(0, count), of: received, to: &held)
        dropPayload(count)
    }
}
