/// An end that is not success: a sentence on standard error, and an exit status that a script can branch on.
package struct Failure: Error {
    /// The exit status.
    package enum Status: Int32, Sendable {
        /// The answer is no.
        case refused = 1
        /// The input cannot be read, or the usage is wrong.
        case unreadable = 2
        /// A verifier, a TPM or a file cannot be reached.
        case unreachable = 3
    }

    package let status: Status
    package let message: String

    /// A failure; an empty message when what is to be said was printed already.
    package init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }
}
