// One thing that `doctor` looked at: how it is, and what to mend.
// Relies on nothing. Refuses values of secrets by having no place for them: what is shown are names, paths, numbers.

internal import HTTP

/// One line of the report.
struct DoctorFinding {
    enum Level: String { case ok, warn, fail }

    var level: Level
    /// What was looked at: clock, name, tls, file, store, limit, kernel, user.
    var check: String
    /// Which one of them, by its name or path.
    var subject: String
    var text: String
    /// What to do; empty where nothing is wrong.
    var remedy = ""

    static func ok(_ check: String, _ subject: String, _ text: String) -> Self {
        Self(level: .ok, check: check, subject: subject, text: text)
    }

    static func warn(_ check: String, _ subject: String, _ text: String, _ remedy: String) -> Self {
        Self(level: .warn, check: check, subject: subject, text: text, remedy: remedy)
    }

    static func fail(_ check: String, _ subject: String, _ text: String, _ remedy: String) -> Self {
        Self(level: .fail, check: check, subject: subject, text: text, remedy: remedy)
    }

    func line(_ paint: Paint) -> String {
        let end = remedy.isEmpty ? "" : ". \(remedy)."
        let word = level.rawValue.padded(to: 6)
        let painted =
            switch level {
            case .ok: paint.good(word)
            case .warn: paint.warning(word)
            case .fail: paint.bad(word)
            }
        return "\(painted)\(check.padded(to: 9))\(subject): \(text)\(end)"
    }

    var json: String {
        "{\"level\":\(quoted(level.rawValue)),\"check\":\(quoted(check)),\"subject\":\(quoted(subject)),"
            + "\"text\":\(quoted(text)),\"remedy\":\(quoted(remedy))}"
    }
}
