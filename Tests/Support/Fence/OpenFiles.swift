// How many descriptors the tests' own process may have: tests that hold thousands of connections ask for them first.

import CShims

/// Raises the soft limit of open descriptors to the hard one. Gives what holds from now on.
@discardableResult
package func raiseDescriptorLimit() -> Int {
    // SAFETY: nothing unsafe is done here; the wrapper takes and gives numbers.
    Int(cs_descriptor_limit(1))
}
