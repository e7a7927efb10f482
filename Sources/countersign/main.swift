// The command: reads the arguments and leaves with the status of what was asked for.
// Relies on Subcommand.swift for what there is. Refuses unknown subcommands and flags with status 2.

internal import Net
internal import Signing

SecretMemory.open()
let status = Subcommand.run(Array(Console.arguments().dropFirst()))
ProcessControl.exit(status.rawValue)
