// The command: reads the options, makes certificates, listens, and waits for the signal to stop.
// Exit status: 0 after a stop signal, 1 if it cannot serve, 2 for a wrong command line.

private func fail(_ message: String, status: Int32 = 1) -> Never {
    HostSystem.complain("ingo-sandbox: \(message)")
    HostSystem.leave(status)
}

private func programs(_ path: String?) -> [Program] {
    guard let path else { return [.demonstration] }
    guard let file = HostSystem.readFile(path) else { fail("\(path) cannot be read") }
    do throws(Program.Problem) {
        return try Program.parse(file)
    } catch {
        fail("\(path):\(error.line): \(error.message)")
    }
}

private func identity(_ options: Options) -> SandboxTLS? {
    if options.plain { return nil }
    var certificate = options.certificate
    var key = options.key
    if certificate == nil, let folder = options.folder {
        guard Certificates.prepare(folder) else { fail("certificates cannot be made in \(folder)") }
        certificate = "\(folder)/server.pem"
        key = "\(folder)/server.key"
    }
    guard let certificate, let key, let identity = SandboxTLS(certificate: certificate, key: key) else {
        fail("certificate and key cannot be used")
    }
    return identity
}

private func serve(_ listener: SandboxListener, _ identity: SandboxTLS?, _ sandbox: Sandbox) {
    while true {
        guard let descriptor = listener.accept() else {
            // Out of descriptors: a moment later some connection has ended.
            HostSystem.wait(milliseconds: 10)
            continue
        }
        let started = HostSystem.startThread {
            let number = sandbox.connectionOpened()
            if let wire = Wire(accepted: descriptor, identity: identity, timeoutSeconds: 120) {
                var conversation = Conversation(sandbox: sandbox, wire: wire, number: number)
                conversation.run()
            }
            sandbox.connectionClosed()
        }
        if !started { HostSystem.closeDescriptor(descriptor) }
    }
}

private func run() {
    let options: Options
    do throws(Options.Problem) {
        options = try Options(Array(CommandLine.arguments.dropFirst()))
    } catch {
        fail("\(error.message); see --help", status: 2)
    }
    if options.wantsHelp { return HostSystem.say(Options.help) }
    if options.wantsVersion { return HostSystem.say(Options.version + "\n") }
    if let folder = options.testCertificates {
        guard Certificates.makeTestSet(folder) else { fail("certificates cannot be made in \(folder)") }
        return
    }
    let sandbox = Sandbox(
        programs: programs(options.credentials), polls: options.polls, printing: options.printing)
    let identity = identity(options)
    guard let listener = SandboxListener(address: options.bind, port: options.port) else {
        fail("cannot listen on \(options.bind):\(options.port)")
    }
    HostSystem.reserveStopSignals()
    guard HostSystem.startThread({ serve(listener, identity, sandbox) }) else { fail("no thread can be started") }
    let address = "\(options.plain ? "http" : "https")://\(options.bind):\(listener.port)"
    let authority = options.plain || options.certificate != nil ? "" : " ca=\(options.folder ?? "")/ca.pem"
    HostSystem.say("ingo-sandbox ready: \(address)\(authority)\n")
    HostSystem.awaitStopSignal()
}

run()
HostSystem.leave(0)
