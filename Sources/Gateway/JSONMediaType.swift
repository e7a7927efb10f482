// What counts as JSON by its name.

internal import HTTP

/// Whether a Content-Type means JSON in UTF-8: `application/json`, alone or with `charset=utf-8` (RFC 8259 section 11
/// defines no parameter; callers send this one all the same).
package func isJSONMediaType(_ value: Span<UInt8>) -> Bool {
    var rest = value
    guard dropWord("application/json", &rest) else { return false }
    dropBlanks(&rest)
    if rest.isEmpty { return true }
    guard dropWord(";", &rest) else { return false }
    dropBlanks(&rest)
    guard dropWord("charset=", &rest) else { return false }
    let quoted = dropWord("\"", &rest)
    guard dropWord("utf-8", &rest) else { return false }
    if quoted { guard dropWord("\"", &rest) else { return false } }
    dropBlanks(&rest)
    return rest.isEmpty
}

private func dropBlanks(_ bytes: inout Span<UInt8>) {
    while !bytes.isEmpty && (bytes[0] == UInt8(ascii: " ") || bytes[0] == UInt8(ascii: "\t")) {
        bytes = bytes.extracting(droppingFirst: 1)
    }
}

/// Drops `word` (lower case) from the front, in any case of letters.
private func dropWord(_ word: StaticString, _ bytes: inout Span<UInt8>) -> Bool {
    guard spanHasPrefix(bytes, ignoringCase: word) else { return false }
    bytes = bytes.extracting(droppingFirst: word.utf8CodeUnitCount)
    return true
}
