import ArgumentParser
import CarnetCommandLine
import CarnetResult

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract:
            "Make, renew, look at and check trust bundles: all that a relying party without network needs, in one file.",
        subcommands: [
            BundleKeyCommand.self, BundleMakeCommand.self, BundleRenewCommand.self, BundleShowCommand.self,
            BundleCheckCommand.self,
        ])

    /// Why a bundle that somebody made is not used.
    static func failure(_ error: BundleError, reading file: String) -> Failure {
        let isUnreadable = [.malformed, .header, .content, .tooLarge].contains(error.code)
        let refused = isUnreadable ? "" : "Refused (\(error.code.rawValue)): "
        return Failure(isUnreadable ? .unreadable : .refused, "\(refused)\(file): \(error). \(error.nextStep).")
    }

    /// Why a bundle is not made.
    static func failure(making error: BundleError) -> Failure {
        let nextStep =
            switch error.code {
            case .tooLarge: "Give fewer lists and keys, or leave links out with --drop-links-up-to"
            case .content: "Change what the sentence names; --help says what may be given"
            case .untrustedSigner: "Sign with one of the keys after \"next signed by\" in `carnet bundle show`"
            default: error.nextStep
            }
        return Failure(
            error.code == .untrustedSigner ? .refused : .unreadable,
            "The bundle cannot be made: \(error). \(nextStep).")
    }
}
