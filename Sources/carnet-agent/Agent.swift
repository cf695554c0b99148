import ArgumentParser
import CarnetAttester
import Foundation

/// The machine's side: talks to the TPM, enrols, attests, proves possession, opens secrets.
@main
struct Agent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet-agent",
        abstract: "Earn a passport for this machine with its TPM, and use it.",
        discussion: """
            Examples:
              carnet-agent info
              carnet-agent enrol --verifier https://verifier.example --name node-17
              carnet-agent attest --verifier https://verifier.example --out passport.jwt
              carnet-agent prove passport.jwt --method GET --url https://vault.example/secrets/1
              carnet-agent open secret.jwe

            Exit status: 0 done, 1 refused, 2 wrong usage or unreadable input, 3 TPM or verifier not available.
            """,
        subcommands: [
            InfoCommand.self, EnrolCommand.self, AttestCommand.self, ProveCommand.self, OpenCommand.self,
            EvidenceCommand.self,
        ])

    static func main() async {
        var used: any ParsableCommand.Type = Self.self
        do {
            var command = try parseAsRoot()
            used = type(of: command)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as TPMDeviceError {
            end(error.description, error.code == .notForThisTPM ? 1 : 3)
        } catch let error as VerifierConnection.Failure {
            end(error.description, error.code == .usage ? 2 : error.code == .unreachable ? 3 : 1)
        } catch let error as AttesterState.Unusable {
            end(error.description, 2)
        } catch let error as AttesterClient.Unreadable {
            end(error.description, 1)
        } catch let error as AttesterClient.EventLogRequired {
            end(error.description, 2)
        } catch let error as Refused {
            end(error.description, 1)
        } catch let error as CocoaError {
            end(error.localizedDescription, 2)
        } catch {
            // Help and version are answers; everything else here is wrong usage.
            guard exitCode(for: error) != .success else { exit(withError: error) }
            end(used.fullMessage(for: error), 2)
        }
    }

    private static func end(_ message: String, _ status: Int32) -> Never {
        if !message.isEmpty { FileHandle.standardError.write(Data((message + "\n").utf8)) }
        Foundation.exit(status)
    }
}

/// A verdict, a key or a secret that is not to be had: exit status 1.
struct Refused: Error, CustomStringConvertible {
    let description: String
}
