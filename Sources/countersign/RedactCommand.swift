// `redact`: what a payload would look like in the log.
// Relies on the same Redactor as the gateway. Refuses unknown products and kinds; holds no more of the payload than the
// gateway does, whatever its size.

internal import Config
internal import HTTP
internal import Policy

extension Subcommand {
    static let redact = Subcommand(
        name: "redact", summary: "show what a payload looks like in the log",
        details: """
            FILE is a body, - standard input. Prints one line: fields that are known to be safe, of all others type and
            length. What is not one whole JSON text shows as its type and length. Needs no configuration.
            """,
        flags: [
            Flag(
                name: "product", value: "NAME",
                help: "whose fields: \(RedactionPreset.allCases.map(\.rawValue).joined(separator: ", ")) "
                    + "(default: banking)"),
            Flag(name: "kind", value: "KIND", help: "request or answer, of which more is shown (default: answer)"),
            Flag(
                name: "show", value: "NAMES",
                help: "further fields, with commas between: names at any depth, or JSON pointers"),
            Flag(name: "hide", value: "NAMES", help: "fields of which nothing is shown, likewise"),
        ],
        operand: "FILE",
        run: runRedact)

    private static func runRedact(_ arguments: Arguments) throws(Arguments.Problem) -> ExitStatus {
        guard let path = arguments.operand else {
            throw Arguments.Problem(text: "FILE is missing; - is standard input")
        }
        let preset = try choice(arguments, "product", RedactionPreset.banking)
        let direction = try choice(arguments, "kind", BodyDirection.answer)
        let settings = RedactionSettings(show: try fields(arguments, "show"), hide: try fields(arguments, "hide"))
        let rules = RedactionRules(preset, settings)
        var redactor = Redactor(rules)
        redactor.begin(rules, direction)
        do throws(Console.ReadFailure) {
            let file = try Console.InputFile(path)
            var buffer = ByteBuffer(capacity: 32 * 1_024)
            while try file.readSome(into: &buffer) {
                redactor.update(buffer.bytes)
                buffer.clear()
            }
        } catch {
            Console.error("countersign redact: \(error.reason)")
            return .failure
        }
        var line = ByteBuffer(capacity: 8 * 1_024)
        redactor.finish(to: &line)
        Console.out(String(decoding: array(line.bytes), as: UTF8.self))
        return .ok
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ arguments: Arguments, _ flag: String, _ usual: Choice
    ) throws(Arguments.Problem) -> Choice where Choice.RawValue == String {
        guard let word = arguments[flag] else { return usual }
        guard let choice = Choice(rawValue: word) else {
            let names = Choice.allCases.map(\.rawValue)
            let near = nearest(to: word, among: names).map { "; is \($0) meant?" } ?? ""
            throw Arguments.Problem(text: "--\(flag) takes one of \(names.joined(separator: ", "))\(near)")
        }
        return choice
    }

    private static func fields(_ arguments: Arguments, _ flag: String) throws(Arguments.Problem) -> [RedactedField] {
        guard let list = arguments[flag] else { return [] }
        let words = list.split(separator: ",", omittingEmptySubsequences: false)
        guard words.count <= RedactionSettings.maxFields else {
            throw Arguments.Problem(text: "--\(flag) takes at most \(RedactionSettings.maxFields) fields")
        }
        var fields: [RedactedField] = []
        for word in words {
            guard let field = RedactedField(String(word)) else {
                throw Arguments.Problem(
                    text: "--\(flag) takes names of 1 to \(JSONStream.maxName) bytes and JSON pointers, commas between")
            }
            fields.append(field)
        }
        return fields
    }
}
