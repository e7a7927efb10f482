// swift-tools-version: 6.2
// The house: one target per room, arrows only downwards (see ARCHITECTURE.md).
// Build with `--explicit-target-dependency-import-check error`; without the flag an undeclared import would pass.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

// What the linker does not do by itself: everything is bound at the start, so that the tables of addresses can be made
// read-only.
let boundAtStart: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-z", "-Xlinker", "now", "-Xlinker", "-z", "-Xlinker", "relro"])
]

func room(_ name: String, _ dependencies: [Target.Dependency] = [], linker: [LinkerSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: linker)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "countersign",
    products: [
        .executable(name: "countersign", targets: ["countersign"]),
        .executable(name: "ingo-sandbox", targets: ["ingo-sandbox"]),
    ],
    targets: [
        // C: CShims translates macros and hidden symbols; it decides nothing.
        .target(
            name: "CShims", publicHeadersPath: "include",
            cSettings: [
                .unsafeFlags(["-fstack-protector-strong"]),
                .unsafeFlags(["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"], .when(configuration: .release)),
            ]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The rooms.
        room("HTTP", ["CZlib"]),
        room("Policy", ["HTTP"]),
        room("Signing", ["HTTP", "COpenSSL"]),
        room("Store", ["Policy", "CSQLite"]),
        room("Exchange", ["HTTP", "Policy", "Signing"]),
        room("Net", ["CShims", "COpenSSL"]),
        room("Config", ["HTTP", "Policy", "Signing", "CYAML"]),
        room("Gateway", ["Exchange", "Net", "Store", "Config", "HTTP", "Policy", "Signing"]),

        // The commands.
        .executableTarget(
            name: "countersign", dependencies: ["Gateway", "Config", "Policy", "Signing", "Store", "HTTP", "Net"],
            swiftSettings: strict, linkerSettings: boundAtStart),
        .executableTarget(
            name: "ingo-sandbox", dependencies: ["CShims", "COpenSSL"], swiftSettings: strict),

        // The load test's generator, and its rules apart from sockets and clocks.
        .target(name: "LoadGeneration", path: "loadtest/generator/LoadGeneration", swiftSettings: strict),
        .executableTarget(
            name: "load-generator", dependencies: ["LoadGeneration", "Net"],
            path: "loadtest/generator/load-generator", swiftSettings: strict),

        // Tests: one target per room, then the whole.
        .target(
            name: "TestSupport", dependencies: ["CShims", "COpenSSL"], path: "Tests/Support", swiftSettings: strict),
        tests("HTTPTests", ["HTTP", "TestSupport"]),
        tests("SigningTests", ["Signing", "HTTP", "TestSupport"], resources: [.copy("Vectors")]),
        tests(
            "PolicyTests", ["Policy", "HTTP", "TestSupport"], resources: [.copy("Redaction/corpus.txt")]),
        tests("StoreTests", ["Store", "Policy", "TestSupport"]),
        tests("ExchangeTests", ["Exchange", "Policy", "Signing", "HTTP", "TestSupport"]),
        tests("NetTests", ["Net", "TestSupport"]),
        tests(
            "ConfigTests", ["Config", "HTTP", "Policy", "Signing", "TestSupport"],
            resources: [.copy("Bad"), .copy("Whole.json")]),
        tests(
            "GatewayTests", ["Gateway", "Config", "Exchange", "HTTP", "Net", "Policy", "Signing", "TestSupport"]),
        tests("LoadGeneratorTests", ["LoadGeneration", "TestSupport", "load-generator"]),
        tests("TidyTests", ["TestSupport"]),
        // The commands are no imports: they are named so that a build of the tests builds them. Of Exchange the words
        // of phases and causes are read, so that a new one without a test is found.
        tests("EndToEndTests", ["TestSupport", "Exchange", "countersign", "ingo-sandbox"]),
    ]
)

// The fuzz targets, and only the rooms that they are about, where scripts/fuzz asks for them: they live in this package
// because the rooms' doors are `package`, and no other build sees them.
if Context.environment["COUNTERSIGN_FUZZ"] != nil {
    let rooms: Set = ["HTTP", "Policy", "Signing", "Config", "COpenSSL", "CYAML", "CZlib"]
    func fuzz(_ name: String, _ folder: String, _ dependencies: [Target.Dependency]) -> Target {
        .executableTarget(
            name: name, dependencies: ["FuzzHarness"] + dependencies, path: "Fuzz/\(folder)", swiftSettings: strict)
    }
    package.products = []
    package.targets.removeAll { !rooms.contains($0.name) }
    package.targets += [
        .target(name: "CFuzzer", path: "Fuzz/CFuzzer", publicHeadersPath: "include"),
        .target(
            name: "FuzzHarness", dependencies: ["CFuzzer", "HTTP"], path: "Fuzz/Harness", swiftSettings: strict),
        fuzz("fuzz-request-head", "RequestHead", ["HTTP"]),
        fuzz("fuzz-response-head", "ResponseHead", ["HTTP"]),
        fuzz("fuzz-chunked", "Chunked", ["HTTP"]),
        fuzz("fuzz-json", "JSON", ["HTTP"]),
        fuzz("fuzz-splice", "Splice", ["HTTP", "Signing"]),
        fuzz("fuzz-inflate", "Inflate", ["HTTP"]),
        fuzz("fuzz-redact", "Redact", ["HTTP", "Policy"]),
        fuzz("fuzz-config", "Config", ["Config", "HTTP", "Policy", "Signing"]),
        .executableTarget(
            name: "fuzz-differential-reader", dependencies: ["HTTP"], path: "Fuzz/Differential", swiftSettings: strict),
    ]
}
