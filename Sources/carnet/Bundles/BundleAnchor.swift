import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import Foundation

/// A root key, or what is remembered of the last bundle.
struct BundleAnchor: ParsableArguments {
    // A thumbprint may begin with a hyphen.
    @Option(parsing: .unconditional, help: "The thumbprint of the root bundle key, which `carnet bundle key` printed.")
    var rootKey: String?

    @Option(
        name: .customLong("bundle-state"),
        help:
            "A file that remembers the last bundle: an older one is refused from then on. `check`, `verify` and `grant` make it when it is missing."
    )
    var state: String?

    var isGiven: Bool { rootKey != nil || state != nil }

    /// Reads, checks and remembers a bundle.
    func open(_ file: String) throws -> TrustBundle {
        let trust = try trust()
        let token = try Input.statusList(file)
        do {
            let bundle = try TrustBundle(parsing: token, trusting: trust, at: currentTime())
            if let state, bundle.trust != trust { try Output.bytes(bundle.trust.bytes, to: state) }
            return bundle
        } catch let error as BundleError {
            throw BundleCommand.failure(error, reading: file)
        }
    }

    /// What is trusted: what the state remembers, and the root key before that.
    func trust() throws -> BundleTrust {
        let isRemembered = state.map { FileManager.default.fileExists(atPath: $0) } ?? false
        do {
            if let state, isRemembered { return try BundleTrust(parsing: Input.token(state)) }
            guard let rootKey else {
                throw Failure(.unreachable, "There is no file \(state ?? ""): give --root-key for the first bundle.")
            }
            return try BundleTrust(rootKey: rootKey)
        } catch let error as BundleError {
            let what = isRemembered ? state ?? "" : "--root-key"
            let nextStep =
                isRemembered
                ? "Bring the file back, or begin anew without it and with --root-key: what it remembered is lost then"
                : "`carnet bundle key --show` prints it"
            throw Failure(.unreadable, "\(what): \(error). \(nextStep).")
        }
    }
}
