import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult

/// The status lists that a passport is looked up in.
struct StatusListOptions: ParsableArguments {
    @Option(
        name: .customLong("status-list"),
        help: "The file of a status list, as the verifier serves it; repeat for several.")
    var files: [String] = []

    @Option(help: "The oldest acceptable status list, in seconds: 0 to 86400.")
    var maximumStatusAge: Int64 = 300

    @Flag(help: "Refuse a passport that names no status list: nobody could withdraw it.")
    var requireStatus = false

    @Flag(help: "Do not look at status lists: a passport that was withdrawn passes until it expires.")
    var skipStatus = false

    func validate() throws {
        guard (0...86_400).contains(maximumStatusAge) else {
            throw ValidationError("--maximum-status-age is 0 to 86400.")
        }
        guard !skipStatus || (files.isEmpty && !requireStatus) else {
            throw ValidationError("--skip-status looks at no list: leave --status-list and --require-status out.")
        }
    }

    var revocation: RevocationExpectation {
        skipStatus ? .notChecked : .checked(maximumStaleness: maximumStatusAge, requiresStatus: requireStatus)
    }

    /// A verifier with the keys of a file, and these lists.
    ///
    /// - Parameter more: Lists besides those of the command line.
    func verifier(
        jwks: String, _ expectations: Expectations, with more: [[UInt8]] = []
    ) throws -> PassportVerifier {
        do {
            let keySet = try JSONWebKeySet(parsing: Input.bytes(jwks))
            return try PassportVerifier(keySet: keySet, expectations: expectations).checking(lists(keySet, more))
        } catch let error as JOSEError {
            throw Failure(.unreadable, "\(jwks): \(error)")
        }
    }

    private func lists(_ keySet: JSONWebKeySet, _ more: [[UInt8]]) throws -> StatusLists {
        var lists = try StatusLists(keySet: keySet)
        let read = try files.map { (name: $0, token: try Input.statusList($0)) }
        for (name, token) in read + more.map({ (name: "The verifier's status list", token: $0) }) {
            do {
                try lists.add(token)
            } catch {
                let isRefused = [.signature, .unknownKey].contains(error.code)
                throw Failure(isRefused ? .refused : .unreadable, "\(name): \(error)")
            }
        }
        return lists
    }
}
