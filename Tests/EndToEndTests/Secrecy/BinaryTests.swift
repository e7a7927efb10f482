// What the linker and the compiler put into the binary against whoever finds a fault in it.
// Relies on readelf (binutils).

import Foundation
import TestSupport
import Testing

@Suite struct BinaryTests {
    private func readelf(_ flag: String) throws -> String {
        let path = Program.buildFolder.appendingPathComponent("countersign").path
        return try Program.run("/usr/bin/env", ["readelf", flag, "-W", path])
    }

    @Test func addressesAreChosenAtTheStartAndTablesAreReadOnly() throws {
        #expect(try readelf("-h").contains("DYN (Position-Independent Executable file)"))
        let segments = try readelf("-l").split(separator: "\n")
        #expect(segments.contains { $0.contains("GNU_RELRO") })
        let stack = try #require(segments.first { $0.contains("GNU_STACK") })
        #expect(stack.contains(" RW ") && !stack.contains("RWE"))
        let dynamic = try readelf("-d")
        #expect(dynamic.contains("BIND_NOW") || dynamic.contains("Flags: NOW"))
        #expect(!dynamic.contains("TEXTREL"))
    }

    @Test func librariesComeFromTheSystemAndFoundationIsNotAmongThem() throws {
        let dynamic = try readelf("-d").split(separator: "\n")
        for line in dynamic where line.contains("RPATH") || line.contains("RUNPATH") {
            let paths = line.split(separator: "[").last?.dropLast().split(separator: ":") ?? []
            // The runtime of the toolchain that built it; SwiftPM adds the folder of the binary.
            for path in paths { #expect(path == "$ORIGIN" || path.hasSuffix("/lib/swift/linux"), "\(path)") }
        }
        #expect(!dynamic.contains { $0.contains("NEEDED") && $0.contains("Foundation") })
    }

    @Test func theStackOfCIsGuarded() throws { #expect(try readelf("-s").contains("__stack_chk_fail")) }
}
