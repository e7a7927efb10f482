// The command: reads the options, runs the load, prints one line of JSON.
// Exit status: 0 where the run went to its end, whatever was answered; 1 where it could not; 2 for wrong arguments.

internal import LoadGeneration
internal import Net

private func run() -> Int32 {
    let words = GeneratorProcess.words
    if words.contains("--help") {
        GeneratorProcess.say(GeneratorSettings.help)
        return 0
    }
    let settings: GeneratorSettings
    do throws(ArgumentProblem) {
        settings = try GeneratorSettings(words)
    } catch {
        GeneratorProcess.say("load-generator: \(error.message)", toErrors: true)
        return 2
    }
    GeneratorProcess.sharpenTimers()
    do throws(GeneratorFailure) {
        var engine = try Engine.make(settings)
        GeneratorProcess.say(try engine.run().json(settings))
        return 0
    } catch {
        GeneratorProcess.say("load-generator: \(error.message)", toErrors: true)
        return 1
    }
}

GeneratorProcess.leave(run())
