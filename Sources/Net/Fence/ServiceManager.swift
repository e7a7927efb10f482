// Telling the service manager how we are: sd_notify(3) by hand, one datagram per message.
// Relies on NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Refuses to wait long: a manager that does not read is given
// up on for this message.

internal import CShims

/// Whoever started the process and wants to hear from it. For the main thread.
package final class ServiceManager {
    /// How long a message may wait for room in the manager's queue.
    private static let patienceMilliseconds: Int32 = 1_000

    private let descriptor: Descriptor
    /// A path, or `@` and an abstract name.
    private let name: [UInt8]
    /// The manager ends us when it hears nothing for so long; nil: it does not watch.
    package let watchdogMilliseconds: Int?

    private init(descriptor: consuming Descriptor, name: [UInt8], watchdogMilliseconds: Int?) {
        self.descriptor = descriptor
        self.name = name
        self.watchdogMilliseconds = watchdogMilliseconds
    }

    /// nil where nobody wants to hear. Throws where somebody does and cannot be told.
    package static func fromEnvironment() throws(SystemError) -> ServiceManager? {
        guard let name = ManagerVariables.text("NOTIFY_SOCKET") else { return nil }
        // Other families (vsock) are for virtual machines, which are not started like this.
        guard name.hasPrefix("/") || name.hasPrefix("@"), name.utf8.count > 1 else { return nil }
        let descriptor = try Descriptor(result: cs_datagram_socket(patienceMilliseconds), "socket")
        return ServiceManager(descriptor: descriptor, name: Array(name.utf8), watchdogMilliseconds: watchdog())
    }

    private static func watchdog() -> Int? {
        guard let microseconds = ManagerVariables.number("WATCHDOG_USEC"), microseconds > 0 else { return nil }
        if let id = ManagerVariables.number("WATCHDOG_PID"), id != Int(cs_process_id()) { return nil }
        return max(1, microseconds / 1_000)
    }

    /// Sends lines of `NAME=value`, separated by newlines.
    package func tell(_ message: String) throws(SystemError) {
        let bytes = Array(message.utf8)
        // SAFETY: both arrays live for the length of the call, and their counts are given.
        let result = unsafe cs_send_datagram(descriptor.number, name, name.count, bytes, bytes.count)
        if result < 0 { throw SystemError(result: Int(result), "sendto") }
    }
}
