// Flags: `--name value`, `--name=value`, or `--name` alone for a switch.
// Relies on each subcommand's list of flags. Refuses unknown flags with the nearest name, a flag given twice, a
// value that is missing or not wanted, and words that belong to no flag, but for the one operand that some take.

internal import Config

/// What the process leaves with.
enum ExitStatus: Int32 {
    case ok = 0
    /// It ran and did not succeed.
    case failure = 1
    case usage = 2
    /// The configuration is bad: EX_CONFIG of sysexits.h.
    case configuration = 78
}

/// One flag of a subcommand.
struct Flag: Sendable {
    /// Without the dashes.
    var name: String
    /// What stands for the value in the help; nil for a switch.
    var value: String?
    var help: String
}

/// The flags that were given.
struct Arguments {
    /// What is wrong with a command line; one sentence.
    struct Problem: Error, Equatable {
        var text: String
    }

    private var values: [String: String] = [:]
    /// The word that belongs to no flag; nil where none was given or none is taken.
    private(set) var operand: String?

    /// `takesOperand`: whether there may be one word that belongs to no flag.
    init(_ words: [String], _ flags: [Flag], takesOperand: Bool = false) throws(Problem) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if takesOperand && operand == nil && !word.hasPrefix("--") {
                operand = word
                continue
            }
            guard word.hasPrefix("--"), word.count > 2 else {
                throw Problem(text: "\(word) belongs to no flag")
            }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let flag = flags.first(where: { $0.name == name }) else {
                let near = nearest(to: name, among: flags.map(\.name)).map { "; is --\($0) meant?" } ?? ""
                throw Problem(text: "there is no flag --\(name)\(near)")
            }
            guard values[name] == nil else { throw Problem(text: "--\(name) is given twice") }
            if flag.value == nil {
                guard parts.count == 1 else { throw Problem(text: "--\(name) takes no value") }
                values[name] = ""
            } else {
                guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                    throw Problem(text: "--\(name) needs a value: \(flag.value ?? "")")
                }
                values[name] = value
            }
        }
    }

    /// The value of a flag; nil where it was not given.
    subscript(_ name: String) -> String? { values[name] }

    /// Whether a switch was given.
    func has(_ name: String) -> Bool { values[name] != nil }

    /// A whole number that is not negative; nil where the flag was not given.
    func number(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw Problem(text: "--\(name) takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The value of a flag without which there is nothing to do.
    func required(_ name: String) throws(Problem) -> String {
        guard let value = values[name] else { throw Problem(text: "--\(name) is missing") }
        return value
    }
}
