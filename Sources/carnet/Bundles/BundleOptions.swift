import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import Foundation

/// A trust bundle, and what makes it trusted.
struct BundleOptions: ParsableArguments {
    @Option(help: "The file of a trust bundle, instead of --jwks, --issuer and --status-list.")
    var bundle: String?

    @OptionGroup var anchor: BundleAnchor

    func validate() throws {
        guard bundle == nil || anchor.isGiven else {
            throw ValidationError("A bundle needs --root-key, --bundle-state, or both.")
        }
    }

    func verifier(_ expectations: Expectations, issuer: String?) throws -> PassportVerifier {
        guard let file = bundle else { throw ValidationError("Give either --jwks or --bundle.") }
        let bundle = try anchor.open(file)
        do {
            return try PassportVerifier(bundle: bundle, audience: expectations.audience, issuer: issuer) {
                $0 = expectations
            }
        } catch {
            throw Failure(.unreadable, "\(file): \(error)")
        }
    }
}

/// A root key, or what is remembered of the last bundle.
struct BundleAnchor: ParsableArguments {
    @Option(help: "The thumbprint of the root bundle key, which `carnet bundle key` printed.")
    var rootKey: String?

    @Option(
        name: .customLong("bundle-state"),
        help:
            "A file that remembers the last bundle: an older one is refused from then on. It is made when it is missing."
    )
    var state: String?

    var isGiven: Bool { rootKey != nil || state != nil }

    /// Reads, checks and remembers a bundle.
    func open(_ file: String) throws -> TrustBundle {
        let trust = try trust()
        let token = try Input.statusList(file)
        do {
            let bundle = try TrustBundle(parsing: token, trusting: trust, at: currentTime())
            if let state, bundle.trust != trust, let bytes = bundle.trust.bytes {
                try Output.bytes(bytes + [0x0A], to: state)
            }
            return bundle
        } catch let error as BundleError {
            let isUnreadable = [.malformed, .header, .content, .tooLarge].contains(error.code)
            throw Failure(
                isUnreadable ? .unreadable : .refused,
                isUnreadable ? "\(file): \(error)" : "Refused (\(error.code.rawValue)): \(file): \(error).")
        }
    }

    private func trust() throws -> BundleTrust {
        do {
            if let state, FileManager.default.fileExists(atPath: state) {
                return try BundleTrust(parsing: Input.token(state))
            }
            guard let rootKey else {
                throw Failure(.unreachable, "There is no file \(state ?? ""): give --root-key for the first bundle.")
            }
            return try BundleTrust(rootKey: rootKey)
        } catch let error as BundleError {
            throw Failure(.unreadable, "\(error).")
        }
    }
}
