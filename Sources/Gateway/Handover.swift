// What a thread begins with, on its way there from the thread that starts it.
// Relies on the start of a thread, before which all else is done. Refuses to be taken twice.

/// One value for one new thread, which alone touches it from then on.
final class Handover<Value: ~Copyable>: @unchecked Sendable {
    // @unchecked Sendable: the creating thread gives the value up before the new thread takes it.
    private var value: Value?

    init(_ value: consuming Value) { self.value = consume value }

    /// The value; called once, by the new thread.
    func take() -> Value {
        guard let value = value.take() else { preconditionFailure("a thread runs once") }
        return value
    }
}
