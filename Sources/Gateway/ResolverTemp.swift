internal import Net

enum ResolverAnswer: Sendable { case addresses([SocketAddress]), failed }
final class Resolver: Sendable {
    init() throws(SystemError) {}
    func ask(host: String, port: UInt16, _ reply: @Sendable (ResolverAnswer) -> Void) -> Bool { false }
}
