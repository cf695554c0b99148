import ArgumentParser
import CarnetCommandLine

/// What is said at one start and at no other, and so on the command line only.
struct OnceOptions: CommandLineOnly {
    @Flag(help: "Let --issuer take the place of the issuer that the database has. All other verifiers are stopped.")
    var changeIssuer = false

    @Flag(help: "Take the ledger as the database has it, after an older database was restored. The ledger tells of it.")
    var acceptLedger = false
}
