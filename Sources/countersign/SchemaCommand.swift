// `schema`: the configuration's JSON Schema, for editors.
// Relies on Config, whose readers it describes. Refuses nothing.

internal import Config

extension Subcommand {
    static let schema = Subcommand(
        name: "schema", summary: "print the configuration's JSON Schema",
        details: """
            Draft 2020-12, with ranges and units. Editors with a YAML language server check and complete by it where the
            file begins with: # yaml-language-server: $schema=PATH. What keys say together is found by check only.
            """,
        flags: [],
        run: { _ in
            Console.out(String(ConfigSchema.text.dropLast()))
            return .ok
        })
}
