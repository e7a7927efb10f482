// The gateway's small words: what counts as JSON by its name, names for requests, lines for the operator.
// Relies on JSONScanner to read the operator's lines as any other reader would.

import Foundation
import Gateway
import HTTP
import Testing

private func isJSON(_ value: String) -> Bool {
    let bytes = Array(value.utf8)
    return isJSONMediaType(bytes.span)
}

/// The members of one line, as JSON texts; nil where it is not one JSON object.
private func members(_ line: [UInt8], _ pointers: [String]) -> [String?]? {
    var scanner = JSONScanner()
    let query = JSONQuery(pointers.map { JSONPointer($0)! })
    guard scanner.scan(line.span, query: query, maxDepth: 4) == nil else { return nil }
    return pointers.indices.map { index in
        let found = scanner.found(index)
        guard found.state == .present else { return nil }
        return String(decoding: line[found.value.range], as: UTF8.self)
    }
}

/// What a log writes, line by line without the line ends; nil where the last line has no end.
private func lines(_ write: (OperatorLog) -> Void) -> [[UInt8]]? {
    let pipe = Pipe()
    write(OperatorLog(descriptor: pipe.fileHandleForWriting.fileDescriptor))
    pipe.fileHandleForWriting.closeFile()
    let bytes = Array(pipe.fileHandleForReading.readDataToEndOfFile())
    guard bytes.last == 0x0A else { return nil }
    return bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
}

@Suite struct WordsTests {
    @Test(arguments: [
        "application/json", "Application/JSON", "application/json;charset=utf-8", "application/json; charset=UTF-8",
        "application/json ;\tcharset=\"utf-8\"", "application/json; Charset=\"Utf-8\" ", "application/json  ",
    ])
    func isTakenForJSON(_ value: String) { #expect(isJSON(value)) }

    @Test(arguments: [
        "", "json", "text/json", "application/jsonp", "application/json5", "application/json-seq", "application/jso",
        "application/problem+json", "application/vnd.api+json", "application/json,text/plain", "application /json",
        " application/json", "application/json;", "application/json;;", "application/json; charset",
        "application/json; charset=", "application/json; charset=latin1", "application/json; charset=utf-16",
        "application/json; charset=utf-8x", "application/json; charset=\"utf-8", "application/json; charset=utf-8\"",
        "application/json; charset=utf-8; charset=utf-16", "application/json; charset=utf-8;",
        "application/json; profile=x", "application/x-www-form-urlencoded", "*/*",
    ])
    func isNotTakenForJSON(_ value: String) { #expect(!isJSON(value)) }

    @Test func requestsHaveNamesOfTheirOwn() {
        var seen: Set<[UInt8]> = []
        for worker in 0..<4 {
            var ids = RequestIDs(worker: worker)
            var beginnings: Set<[UInt8]> = []
            for count in 1...100 {
                let id = ids.id(ids.next()).text
                #expect(seen.insert(id).inserted)
                #expect(id.count == 17 + String(count).utf8.count && id[16] == UInt8(ascii: "-"))
                #expect(id[..<16].allSatisfy { Character(Unicode.Scalar($0)).isHexDigit })
                #expect(String(decoding: id[17...], as: UTF8.self) == String(count))
                beginnings.insert(Array(id[..<17]))
            }
            #expect(beginnings.count == 1)
        }
    }

    @Test func theOperatorReadsOneJSONObjectPerLine() throws {
        let read = try #require(
            lines { log in
                log.write(.info, "started")
                log.write(.warning, "slow", ("count", .number(-7)), ("again", .flag(true)), ("off", .flag(false)))
                log.write(.error, "bad", ("path", .text("a \"b\"\n\\ é\u{1}")), ("names", .words(["x", "y\"z"])))
                log.write(.info, "none", ("names", .words([])), ("text", .text("")))
            })
        try #require(read.count == 4)
        #expect(members(read[0], ["/level", "/message"]) == ["\"info\"", "\"started\""])
        #expect(
            members(read[1], ["/level", "/count", "/again", "/off"]) == ["\"warning\"", "-7", "true", "false"])
        let third = try #require(members(read[2], ["/level", "/path", "/names"]))
        #expect(third[0] == "\"error\"" && third[2] == "[\"x\",\"y\\\"z\"]")
        let path = try JSONSerialization.jsonObject(with: Data((third[1] ?? "").utf8), options: .fragmentsAllowed)
        #expect(path as? String == "a \"b\"\n\\ é\u{1}")
        #expect(members(read[3], ["/names", "/text"]) == ["[]", "\"\""])
        for line in read {
            let time = members(line, ["/time"])?[0].flatMap { Int($0) }
            #expect((time ?? 0) > 1_700_000_000)
        }
    }
}
