import ArgumentParser
import CarnetRelyingParty
import CarnetResult
import CarnetCommandLine

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a passport offline, and say why it is refused.",
        discussion: """
            Examples:
              carnet verify passport.jwt --jwks jwks.json --issuer https://verifier.example --audience https://vault.example
              carnet verify passport.jwt --jwks jwks.json --issuer … --audience … \\
                  --proof proof.jwt --method GET --url https://vault.example/secrets/1
              carnet verify passport.jwt --jwks jwks.json --issuer … --audience … --status-list list.jwt

              carnet verify passport.jwt --bundle trust.bundle --root-key <thumbprint> --audience https://vault.example

            A passport that names a status list needs --status-list (`carnet status` shows where to get it). Without network there are two
            other choices: --status-where-listed refuses what a list at hand says is withdrawn and accepts what none speaks of, and says so;
            --skip-status looks at no list.

            With --explain, nothing is granted and no proof is looked at: it lists all that the passport lacks.
            Without --proof, whoever holds a copy of the passport passes: demand a proof before you grant anything.
            This command remembers nothing: within a minute the same proof passes again, unless --nonce is one that you gave once.
            A service that uses the library remembers each proof.
            """)

    @Argument(help: "The passport's file; - is standard input.")
    var passport: String

    @OptionGroup var options: PassportOptions
    @OptionGroup var proof: ProofOptions

    @Flag(help: "Say everything that the passport lacks, and not only the first thing.")
    var explain = false

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let accepted: Bool
        let subject: String?
        let status: String?
        let expiresAt: Int64?
        let possessionProven: Bool
        var revocation: String? = nil
        let statusAge: Int64?
        var bundleGraceLeft: Int64? = nil
        let code: String?
        let reason: String?
        let nextStep: String?
    }

    func run() throws {
        let verifier = try options.verifier()
        let token = try Input.token(passport)
        let now = currentTime()
        if explain {
            let explanation = verifier.explain(token, at: now)
            if json { try Output.json(explanation) } else { Output.line(explanation.description) }
            guard explanation.isAccepted else { throw Failure(.refused, "") }
            return
        }
        do {
            let result = try verifier.verify(token, at: now)
            let proven = try proof.prove(result, with: verifier, at: now)
            if json {
                var graceLeft: Int64?
                if case .inGrace(let seconds)? = result.bundle { graceLeft = seconds }
                return try Output.json(
                    Report(
                        accepted: true, subject: result.subject, status: result.status.rawValue,
                        expiresAt: result.expiresAt,
                        possessionProven: proven != nil, revocation: result.revocation.name,
                        statusAge: result.revocation.secondsAgo,
                        bundleGraceLeft: graceLeft, code: nil,
                        reason: nil, nextStep: nil))
            }
            let rest = result.expiresAt - now
            let until =
                rest > 0 ? "for another \(rest) seconds" : "(it expired \(-rest) seconds ago, within the leeway)"
            Output.line("Accepted: \(result.subject) is \(result.status.rawValue) \(until)")
            Output.line(result.revocation.sentence)
            if case .inGrace(let seconds)? = result.bundle {
                Output.line(
                    "The trust bundle has EXPIRED and counts for another \(Span.words(seconds)): get the next one")
            }
            Output.line(
                proven != nil
                    ? "Possession is proven: the presenter holds the key \(result.keyThumbprint)"
                    : "Possession is NOT proven: whoever copied the passport could present it (give --proof)")
        } catch let refusal as Refusal {
            if json {
                try Output.json(
                    Report(
                        accepted: false, subject: nil, status: nil, expiresAt: nil, possessionProven: false,
                        statusAge: nil,
                        code: refusal.code.rawValue, reason: refusal.reason, nextStep: refusal.nextStep))
                throw Failure(.refused, "")
            }
            throw Failure(.refused, "Refused (\(refusal.code.rawValue)): \(refusal)")
        }
    }
}

extension RevocationCheck {
    /// What is known, for people.
    var sentence: String {
        switch self {
        case .valid(_, let seconds): "It was not withdrawn, as its status list said \(Span.words(seconds)) ago"
        case .notRevocable: "It names no status list: nobody can withdraw it"
        case .notChecked: "Whether it was withdrawn is NOT checked"
        case .unknown(_, let gap): "Whether it was withdrawn is NOT known: \(gap)"
        }
    }

    /// What is known, for programs.
    var name: String {
        switch self {
        case .valid: "valid"
        case .notRevocable: "not-revocable"
        case .notChecked: "not-checked"
        case .unknown: "unknown"
        }
    }
}
