import CarnetRecords
package import ArgumentParser
import CarnetServeOptions
import CarnetCommandLine
import CarnetService
import CarnetStorage
import StrictEncoding

package struct BootstrapCommand<Program: ServiceProgram>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "bootstrap",
            abstract: "Make the first administrator, and print the API token once.",
            discussion: """
                EXAMPLES
                  \(Program.name) bootstrap --data ./\(Program.service) --out alice.token
                  sudo -u carnet \(Program.name) bootstrap --expires 1d \\
                      --config /etc/carnet/\(Program.service).yaml

                It works on the database that the \(Program.service) has: --data, --database
                and --ledger-chain are settings of the \(Program.service), and come from the
                same places: the flag, the variable \(Program.variables)..., the file.

                It works on the database, whether \(Program.service)s run or not, and before
                the first start. While there is an administrator whose token has
                not expired it refuses: an administrator makes others with
                  carnet api-token create --role admin

                WHEN EVERY ADMINISTRATOR'S TOKEN IS LOST
                  \(Program.name) bootstrap --config \(Program.service).yaml --recover
                The ledger tells of it. Revoke the lost tokens afterwards.

                EXIT STATUS
                  0  the token was printed, or is in the file
                  1  there is an administrator
                  2  the command line is wrong
                  3  the database cannot be reached
                """)
    }

    @OptionGroup var state: StateOptions

    @Option(help: "The administrator's name; by default one with the token's identifier in it.")
    var name: String?

    @Option(
        help: ArgumentHelp("How long the token is good, at most 400d.", valueName: "lifetime"),
        transform: Lifetime.reading)
    var expires: Lifetime?

    @Option(help: ArgumentHelp("The file for the token, mode 0600; by default standard output.", valueName: "file"))
    var out: String?

    @Flag(help: "Make another administrator although there is one.")
    var recover = false

    @Flag(help: "Print JSON, with the token in it.")
    var json = false

    @OptionGroup(title: "Configuration") var configurationFile: ConfigurationFileOption

    struct Report: Encodable {
        let id, name, role, expiresAt, token: String
    }

    package init() {}

    package func validate() throws {
        guard APITokenLifetime.allowed.contains(lifetime) else {
            throw ValidationError("--expires is from 60s to 400d.")
        }
        if let name, !APIToken.isName(name) {
            throw ValidationError("--name has 1 to 256 visible characters of ASCII, no quotation marks.")
        }
        guard out == nil || !json else { throw ValidationError("Give --out or --json, not both.") }
    }

    private var lifetime: Int64 { expires?.seconds ?? APITokenLifetime.standard }

    package func run() async throws {
        do {
            try state.check()
            let (ledger, place) = try await state.ledger(of: Program.self, in: DataDirectory(state.data)),
                now = WallClock.system.now
            try await Output.keeping(in: out) {
                let made = try await APITokenStore(ledger).bootstrap(
                    name: name, expiresAt: now + lifetime, recovers: recover, now: now)
                guard case .made(let record, let token) = made else {
                    throw Failure(
                        .refused,
                        "There is an administrator already, who makes others with: carnet api-token create --role admin. "
                            + "When every administrator's token is lost: --recover.")
                }
                try show(record, token, place)
            }
        } catch let error as ServiceStartError {
            throw Failure(.refused, error.description)
        } catch let error as StorageError where error.code == .conflict {
            throw Failure(.refused, "Another API token has this name. Choose another --name.")
        } catch let error as StorageError {
            throw Failure(.unreachable, error.description)
        }
    }

    private func show(_ record: APITokenStore.Record, _ token: String, _ database: DatabaseAddress) throws {
        let end = RFC3339.format(record.expiresAt ?? 0)
        if json {
            return try Output.json(
                Report(
                    id: record.id, name: record.name, role: record.role.rawValue, expiresAt: end, token: token))
        }
        try Output.token(Array(token.utf8), to: out)
        let place = out.map { "is in \($0)" } ?? "is shown this once"
        Output.aside("The token of \(record.name), an administrator in \(database) until \(end), \(place).")
    }
}
