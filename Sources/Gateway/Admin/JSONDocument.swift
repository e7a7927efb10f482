// JSON as the pages write it: objects, arrays, texts, numbers, flags.
// Relies on HTTP for the escapes of texts. Refuses names that are not literals of this program, but for `entry`.

package import HTTP

/// One JSON object that is being written.
package struct JSONDocument: ~Copyable {
    private var buffer = ByteBuffer(capacity: 4_096)
    /// Something stands before, within the same brackets.
    private var follows = false

    package init() { buffer.append(byte: UInt8(ascii: "{")) }

    /// The whole, with a line break.
    package consuming func finish() -> ByteBuffer {
        buffer.append("}\n")
        return buffer
    }

    package mutating func add(_ name: StaticString, _ text: String) {
        key("\(name)")
        value(text)
    }

    package mutating func add(_ name: StaticString, _ number: Int) {
        key("\(name)")
        append(String(number))
    }

    package mutating func add(_ name: StaticString, _ number: UInt64) {
        key("\(name)")
        append(String(number))
    }

    package mutating func add(_ name: StaticString, _ flag: Bool) {
        key("\(name)")
        append(flag ? "true" : "false")
    }

    /// nil is null.
    package mutating func add(_ name: StaticString, _ number: UInt64?) {
        key("\(name)")
        append(number.map { String($0) } ?? "null")
    }

    /// A number with three digits behind its point, such as a rate; at least 0 and below 2^50.
    package mutating func add(_ name: StaticString, thousandths: UInt64) {
        key("\(name)")
        let rest = String(thousandths % 1_000)
        append("\(thousandths / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest)
    }

    package mutating func object(_ name: StaticString, _ body: (inout JSONDocument) -> Void) {
        key("\(name)")
        brackets("{", "}", body)
    }

    /// An object under a name from the configuration.
    package mutating func entry(_ name: String, _ body: (inout JSONDocument) -> Void) {
        key(name)
        brackets("{", "}", body)
    }

    package mutating func array(_ name: StaticString, _ body: (inout JSONDocument) -> Void) {
        key("\(name)")
        brackets("[", "]", body)
    }

    /// A text in an array.
    package mutating func element(_ text: String) {
        separate()
        value(text)
    }

    /// An object in an array.
    package mutating func element(_ body: (inout JSONDocument) -> Void) {
        separate()
        brackets("{", "}", body)
    }

    private mutating func brackets(_ open: String, _ close: String, _ body: (inout JSONDocument) -> Void) {
        append(open)
        follows = false
        body(&self)
        append(close)
        follows = true
    }

    private mutating func separate() {
        if follows { buffer.append(byte: UInt8(ascii: ",")) }
        follows = true
    }

    private mutating func key(_ name: String) {
        separate()
        value(name)
        buffer.append(byte: UInt8(ascii: ":"))
    }

    private mutating func value(_ text: String) {
        let bytes = Array(text.utf8)
        if let json = jsonString(from: bytes.span) { buffer.append(json.span) } else { buffer.append("\"\"") }
    }

    private mutating func append(_ text: String) { for byte in text.utf8 { buffer.append(byte: byte) } }
}
