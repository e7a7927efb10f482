// Colours, where somebody looks at a terminal and has not said NO_COLOR (no-color.org).
// Relies on Console for what a stream is. Refuses colours in pipes and files, and on TERM=dumb.

internal import Config

/// Colours for one of the two streams.
struct Paint {
    enum Stream { case output, errors }

    private let isOn: Bool

    init(_ stream: Stream) {
        let environment = Environment.ofProcess()
        isOn =
            Console.isTerminal(stream) && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    func good(_ text: String) -> String { painted(text, "32") }
    func warning(_ text: String) -> String { painted(text, "33") }
    func bad(_ text: String) -> String { painted(text, "31") }

    private func painted(_ text: String, _ code: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
