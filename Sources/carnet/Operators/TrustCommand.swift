import ArgumentParser
import Cryptography
import Foundation
import StrictEncoding
import TrustAnchorImport
import CarnetCommandLine

struct TrustCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Whose TPMs may enrol.", subcommands: [TrustImportCommand.self])
}

struct TrustImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Install TPM makers' certificates that the manifest knows; refuse the rest unless named.",
        discussion: """
            Examples:
              carnet trust import TrustedTpm.cab --into /etc/carnet/trust-anchors
              carnet trust import my-ca.pem --into /etc/carnet/trust-anchors --allow 5f70…
            """)

    @Argument(help: "A PEM or DER file, a cabinet (.cab), or a directory of them.")
    var path: String

    @Option(help: "The directory into which certificates are installed.")
    var into = "/etc/carnet/trust-anchors"

    @Option(help: "The manifest of known certificates; by default the installed one, or that of the checkout.")
    var manifest: String?

    @Option(help: "SHA-256 of a certificate to install although the manifest does not know it; repeat for several.")
    var allow: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    struct Entry: Encodable {
        let origin: String
        let subject: String?
        let sha256: String?
        let decision: String
        let installed: Bool
    }

    func run() throws {
        var allowed: Set<[UInt8]> = []
        for text in allow {
            guard let bytes = Hexadecimal.decode(text.filter { $0 != ":" }), bytes.count == 32 else {
                throw ValidationError("--allow takes 64 hexadecimal digits, not \(text).")
            }
            allowed.insert(bytes)
        }
        let anchors = TrustAnchorImport(manifest: try readManifest(), allowed: allowed)
        let outcomes: [TrustAnchorImport.Outcome]
        let count: Int
        do {
            outcomes = try anchors.judge(path: path)
            count = try anchors.install(outcomes, into: into)
        } catch let error as CocoaError {
            let place = error.filePath ?? path
            throw Failure(.unreachable, "\(place): \(error.localizedDescription)")
        }
        let entries = outcomes.map { outcome in
            Entry(
                origin: outcome.origin, subject: outcome.certificate?.subject,
                sha256: outcome.certificate.map { Hexadecimal.encode($0.fingerprint) },
                decision: Self.describe(outcome.decision),
                installed: outcome.isInstalled)
        }
        if json { try Output.json(entries) } else { Self.report(entries, count, into) }
        let refused = entries.filter { !$0.installed }.count
        guard !entries.isEmpty else { throw Failure(.unreadable, "There is no certificate in \(path).") }
        if refused == entries.count { throw Failure(.refused, json ? "" : "Nothing was installed.") }
    }

    /// Beside the program as `make install` puts it, or in the checkout that is worked in.
    private static func standardManifest() -> String {
        let installed = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "share/carnet/trust-anchors.json").path
        let places = [installed, "/usr/local/share/carnet/trust-anchors.json", "/usr/share/carnet/trust-anchors.json"]
        return places.first { FileManager.default.isReadableFile(atPath: $0) } ?? "Keys/TrustAnchors/manifest.json"
    }

    private func readManifest() throws -> TrustAnchorManifest {
        let manifest = manifest ?? Self.standardManifest()
        do {
            return try TrustAnchorManifest(parsing: Input.bytes(manifest))
        } catch let error as TrustAnchorManifest.Unreadable {
            throw Failure(.unreadable, "\(manifest): \(error)")
        }
    }

    private static func report(_ entries: [Entry], _ count: Int, _ directory: String) {
        for entry in entries {
            Output.line(
                "\(entry.installed ? "trusted" : "refused")  \(entry.subject ?? entry.origin): \(entry.decision)")
            if !entry.installed, let sha256 = entry.sha256 {
                Output.line("           to install it all the same: --allow \(sha256)")
            }
        }
        let trusted = entries.filter(\.installed).count
        Output.line("\(trusted) trusted, \(count) of them new in \(directory); \(entries.count - trusted) refused")
    }

    private static func describe(_ decision: TrustAnchorImport.Outcome.Decision) -> String {
        switch decision {
        case .known(let maker): "known, \(maker)"
        case .named: "named by you"
        case .refused: "the manifest does not know it"
        case .unreadable(let reason): reason
        }
    }
}
