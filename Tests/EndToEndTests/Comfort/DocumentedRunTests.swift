// Every command line of the documents' blocks is run, in order, and shows what it promises.
// Relies on DocumentBench for a folder in which the lines work as they stand. Refuses a line of a document that the
// table does not have, and one in the table that no document has.

import Foundation
import TestSupport
import Testing

/// A line as a document has it, and how it is run here.
private struct DocumentedRun {
    let line: String
    /// What is run in its place; nil: the line as it stands.
    var instead: String?
    /// A part of what it writes.
    let shows: String
}

/// In the order in which they are run; the first leaves sandbox and gateway running for the others. Ports are the
/// bench's own. What takes minutes is read by its own parser only, with its arguments.
private let documentedRuns = [
    DocumentedRun(line: "scripts/demo --keep", shows: "both go on. Logs:"),
    DocumentedRun(
        line: "curl http://127.0.0.1:8080/user/create -H 'Content-Type: application/json' -d"
            + " '{\"first_name\": \"Jane\", \"last_name\": \"Doe\", \"email\": \"jane.doe@example.com\"}'",
        shows: "\"user_id\""),
    DocumentedRun(line: ".build/release/countersign check --config conf/demo.yaml", shows: "ok\n"),
    DocumentedRun(
        line: "echo '{\"first_name\": \"Jane\"}' | .build/release/countersign explain --config conf/demo.yaml"
            + " --route banking --target /user/create --body -",
        shows: "String to sign"),
    DocumentedRun(line: ".build/release/countersign health --config conf/demo.yaml --ready", shows: "ready\n"),
    DocumentedRun(line: "countersign check --config countersign.yaml", shows: "ok\n"),
    DocumentedRun(line: "countersign doctor --config countersign.yaml", shows: "verified for 127.0.0.1"),
    DocumentedRun(
        line: "echo '{\"first_name\": \"Jane\"}' | countersign explain --config countersign.yaml"
            + " --route banking --target /user/create --body - --show-body",
        shows: "{\"api_key\":\"***\",\"first_name\": \"Jane\"}"),
    DocumentedRun(
        line: "countersign verify --config countersign.yaml --credential acme-banking --request captured.http",
        shows: "The request verifies."),
    // It serves until it is told to stop: its first line is read, then it is.
    DocumentedRun(
        line: "ingo-sandbox --port 9443 --state-dir ./sandbox-state --print full",
        instead: "exec 3< <(exec ingo-sandbox --port 0 --state-dir ./sandbox-state --print full); read -r line <&3;"
            + " echo \"$line\"; kill $!; wait $!",
        shows: "ca=./sandbox-state/ca.pem"),
    // It is what runs this test.
    DocumentedRun(line: "scripts/test", instead: "bash -n scripts/test && echo read", shows: "read"),
    // Minutes, as root, with peers that Debian has.
    DocumentedRun(
        line: "scripts/load --quick", instead: "python3 loadtest/run.py --quick --help", shows: "--quick"),
    DocumentedRun(
        line: "scripts/load", instead: "bash -n scripts/load && python3 loadtest/run.py --help", shows: "--rounds"),
    DocumentedRun(
        line: "scripts/load --only all --correct --cross-check --soak",
        instead: "python3 loadtest/run.py --only all --correct --cross-check --soak --help", shows: "--cross-check"),
    DocumentedRun(
        line: "scripts/load --correct --peers wrong",
        instead: "python3 loadtest/run.py --correct --peers wrong --help", shows: "--correct"),
    DocumentedRun(
        line: "scripts/load --only W1,W2 --peers limit,countersign --rounds 9",
        instead: "python3 loadtest/run.py --only W1,W2 --peers limit,countersign --rounds 9 --help",
        shows: "--only"),
    DocumentedRun(
        line: "COUNTERSIGN=/tmp/old COUNTERSIGN_NEW=/tmp/new scripts/load --only W1 --peers limit,countersign,new",
        instead: "COUNTERSIGN=/tmp/old COUNTERSIGN_NEW=/tmp/new python3 loadtest/run.py --only W1"
            + " --peers limit,countersign,new --help",
        shows: "--peers"),
]

/// It stops what it starts, so that it runs in a bench of its own, beside the others.
private let wholeDemo = DocumentedRun(line: "scripts/demo", shows: "calls were signed, verified and answered")

@Suite struct DocumentedRunTests {
    @Test func everyLineOfTheDocumentsIsInTheTable() throws {
        let written = try Documents.all().flatMap {
            Documents.commandLines(try String(contentsOf: $0, encoding: .utf8))
        }
        #expect(Set(written) == Set((documentedRuns + [wholeDemo]).map(\.line)))
    }

    @Test func theDemoRunsAsDocumented() throws {
        let bench = try DocumentBench()
        let done = try bench.run(wholeDemo.line)
        #expect(done.end == .code(0) && done.text.contains(wholeDemo.shows), "\(done.text)")
    }

    @Test func theDocumentedLinesDoWhatTheySay() throws {
        let bench = try DocumentBench()
        defer { bench.stopWhatIsKept() }
        for run in documentedRuns {
            let done = try bench.run(run.instead ?? run.line)
            #expect(done.end == .code(0) && done.text.contains(run.shows), "\(run.line): \(done.text)")
            if run.line.hasPrefix("scripts/demo") { try bench.capture() }
        }
    }
}
