// The few calls of the system that tests need and Foundation has not, or not as one step.

import Glibc

package enum HostCalls {
    /// Moves a file over another in one step (rename(2)); false where that fails.
    package static func move(_ path: String, over other: String) -> Bool {
        // SAFETY: both paths are C strings for the length of the call.
        unsafe rename(path, other) == 0
    }

    /// Sets a variable of this process's environment.
    package static func setVariable(_ name: String, _ value: String) {
        // SAFETY: both are C strings, which setenv copies.
        _ = unsafe setenv(name, value, 1)
    }

    /// This process's user.
    package static var userID: UInt32 { geteuid() }
}
