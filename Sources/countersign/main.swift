// The command: for now only `run --config FILE`.

import Config
import Gateway

let arguments = CommandLine.arguments
let (settings, problems) = SettingsLoader.load(path: arguments.last ?? "", environment: [:])
for problem in problems { print(problem.text) }
if let settings {
    do {
        _ = try Gateway.run(settings, log: OperatorLog())
    } catch {
        print(error.reason)
    }
}
