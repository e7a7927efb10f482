// `completion bash|zsh|fish`: scripts by which shells complete subcommands, flags and files.
// Relies on the table of subcommands, of which they are made. Refuses other shells: there is no such subcommand.

extension Subcommand {
    static let completionBash = completion("bash", "source <(countersign completion bash)", bashScript)
    static let completionZsh = completion("zsh", "countersign completion zsh > \"${fpath[1]}/_countersign\"", zshScript)
    static let completionFish = completion("fish", "countersign completion fish | source", fishScript)

    private static func completion(
        _ shell: String, _ use: String, _ script: @escaping @Sendable () -> String
    ) -> Subcommand {
        Subcommand(
            name: "completion \(shell)", summary: "print completions for \(shell)", details: "Use: \(use)", flags: [],
            run: { _ in
                Console.out(script())
                return .ok
            })
    }

    /// First words of subcommands that have two.
    private static var groups: [String] {
        var groups: [String] = []
        for words in all.map(\.words) where words.count == 2 && !groups.contains(words[0]) { groups.append(words[0]) }
        return groups
    }

    /// What may stand first, with what it does.
    private static var firstWords: [(word: String, summary: String)] {
        all.filter { $0.words.count == 1 }.map { ($0.name, $0.summary) }
            + groups.map { group in (group, "\(members(of: group).map { $0.words[1] }.joined(separator: ", "))") }
    }

    private static func members(of group: String) -> [Subcommand] { all.filter { $0.name.hasPrefix(group + " ") } }

    /// `--help` is for all.
    private var allFlags: [Flag] { flags + [Flag(name: "help", value: nil, help: "say more")] }

    private var takesFiles: Bool { operand == "FILE" }

    // MARK: - bash

    private static func bashScript() -> String {
        let flags = all.flatMap(\.flags)
        let files = Set(flags.filter { $0.value == "FILE" }.map { "--" + $0.name }).sorted()
        let others = Set(flags.filter { $0.value != nil && $0.value != "FILE" }.map { "--" + $0.name }).sorted()
        let seconds = groups.map { group in
            "            \(group)) reply=\"\(members(of: group).map { $0.words[1] }.joined(separator: " "))\" ;;"
        }
        let each = all.map { command in
            let words = command.allFlags.map { "--" + $0.name }.joined(separator: " ")
            let rest = command.takesFiles ? "; takes_files=yes" : ""
            return "        \"\(command.name)\") reply=\"\(words)\"\(rest) ;;"
        }
        return """
            # bash completion of countersign
            _countersign() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
                local command=${COMP_WORDS[1]-} depth=1 reply='' takes_files=no
                COMPREPLY=()
                case $command in
                \(groups.joined(separator: " | "))) command+=" ${COMP_WORDS[2]-}" depth=2 ;;
                esac
                if [ "$COMP_CWORD" -eq 1 ]; then
                    reply="\((firstWords.map(\.word) + ["--help", "--version"]).joined(separator: " "))"
                elif [ "$COMP_CWORD" -le "$depth" ]; then
                    case ${COMP_WORDS[1]} in
            \(seconds.joined(separator: "\n"))
                    esac
                else
                    case $previous in
                    \(files.joined(separator: " | "))) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return 0 ;;
                    \(others.joined(separator: " | "))) return 0 ;;
                    esac
                    case $command in
            \(each.joined(separator: "\n"))
                    esac
                fi
                if [ "$takes_files" = yes ] && [[ $current != -* ]]; then
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                else
                    mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$current")
                fi
            }
            complete -o filenames -F _countersign countersign
            """
    }

    // MARK: - zsh

    private static func zshScript() -> String {
        let first = firstWords.map { "            \(zshQuoted("\($0.word):\($0.summary)"))" }
        let cases = all.filter { $0.words.count == 1 }.map { "        \($0.name)) \($0.zshArguments) ;;" }
        let groupCases = groups.map { group in
            let described = members(of: group).map { zshQuoted("\($0.words[1]):\($0.summary)") }
            let inner = members(of: group).map { "                \($0.words[1])) \($0.zshArguments) ;;" }
            return """
                        \(group))
                            if (( CURRENT == 2 )); then
                                list=(\(described.joined(separator: " ")))
                                _describe subcommand list
                                return
                            fi
                            shift words
                            (( CURRENT-- ))
                            case $words[1] in
                \(inner.joined(separator: "\n"))
                            esac
                            ;;
                """
        }
        return """
            #compdef countersign
            # zsh completion of countersign
            _countersign() {
                local -a list
                if (( CURRENT == 2 )); then
                    list=(
            \(first.joined(separator: "\n"))
                    )
                    _describe subcommand list
                    return
                fi
                shift words
                (( CURRENT-- ))
                case $words[1] in
            \((cases + groupCases).joined(separator: "\n"))
                esac
            }
            if [ "$funcstack[1]" = _countersign ]; then _countersign "$@"; else compdef _countersign countersign; fi
            """
    }

    private var zshArguments: String {
        let specifications = allFlags.map { flag in
            let help = flag.help.replacing("[", with: "(").replacing("]", with: ")").replacing(":", with: " -")
            let value = flag.value.map { ":\($0):" + ($0 == "FILE" ? "_files" : " ") } ?? ""
            return Self.zshQuoted("--\(flag.name)[\(help)]\(value)")
        }
        return (["_arguments"] + specifications + (takesFiles ? ["'*:FILE:_files'"] : [])).joined(separator: " ")
    }

    private static func zshQuoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    // MARK: - fish

    private static func fishScript() -> String {
        var lines = ["# fish completion of countersign", "complete -c countersign -f"]
        for (word, summary) in firstWords {
            lines.append("complete -c countersign -n __fish_use_subcommand -a \(word) -d \(fishQuoted(summary))")
        }
        for group in groups {
            let names = members(of: group).map { $0.words[1] }.joined(separator: " ")
            let here = "__fish_seen_subcommand_from \(group); and not __fish_seen_subcommand_from \(names)"
            for member in members(of: group) {
                let what = "-a \(member.words[1]) -d \(fishQuoted(member.summary))"
                lines.append("complete -c countersign -n \(fishQuoted(here)) \(what)")
            }
        }
        for command in all {
            let here = command.words.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
            for flag in command.allFlags {
                let value = flag.value.map { $0 == "FILE" ? " -r -F" : " -x" } ?? ""
                let what = "-l \(flag.name)\(value) -d \(fishQuoted(flag.help))"
                lines.append("complete -c countersign -n \(fishQuoted(here)) \(what)")
            }
            if command.takesFiles { lines.append("complete -c countersign -n \(fishQuoted(here)) -F") }
        }
        return lines.joined(separator: "\n")
    }

    private static func fishQuoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
