import Foundation

/// An end that is not success: a sentence on standard error, and an exit status that a script can branch on.
struct Failure: Error {
    enum Status: Int32 {
        /// The answer is no.
        case refused = 1
        /// The input cannot be read.
        case unreadable = 2
        /// A verifier or a file cannot be reached.
        case unreachable = 3
    }

    let status: Status
    let message: String

    init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }

    func printAndExit() -> Never {
        if !message.isEmpty { FileHandle.standardError.write(Data((message + "\n").utf8)) }
        exit(status.rawValue)
    }
}
