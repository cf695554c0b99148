package import CarnetRecords
import CarnetLedger
package import CarnetService
package import CarnetStorage
package import Logging

/// How a verifier is run.
package struct VerifierConfiguration: Sendable {
    /// The folder for what must survive a restart.
    package var dataDirectory: String
    /// Where everything that lasts is; `nil` for SQLite in the data directory.
    package var database: DatabaseAddress?
    /// How many connections to PostgreSQL are open at most: 1 to 1000.
    package var databaseConnections = 8
    /// Where the key-encryption key comes from; by default a file in the data directory.
    package var keyEncryptionKey: KeyEncryptionKeySource?
    /// When signing keys take turns.
    package var signingKeys = SigningKeySchedule()
    /// How often the schedule of the signing keys is looked at.
    package var signingKeyInterval = Duration.seconds(60)
    /// How old what is known of the signing keys may be when something is signed.
    package var signingKeyNotice = SigningKeys.noticeInterval
    /// Where to listen.
    package var address: ListenAddress
    /// How bytes travel.
    package var security: TransportSecurity
    /// The authorities of operators' TLS certificates and who has which role, or `nil` where only API tokens count.
    package var clientCertificates: ClientCertificateSettings?
    /// How often the files of the TLS certificate are looked at.
    package var certificateInterval = Duration.seconds(60)
    /// Where `/metrics` is served: an address of its own, or `nil`.
    package var metricsAddress: ListenAddress?
    /// Whether `/metrics` is served beside the other calls.
    package var servesMetrics = false
    /// `iss` in tokens: an https URI without query and fragment.
    package var issuer: String
    /// Whether ``issuer`` takes the place of another that the database has.
    package var changesIssuer = false
    /// Whether the ledger is taken as the database has it, whatever this verifier remembers.
    package var acceptsLedger = false
    /// `aud` in passports: the relying parties that may accept them. At least one.
    package var audiences: [String]
    /// A policy to load and activate on every start.
    package var policyFile: String?
    /// A folder of certificates that end endorsement key chains.
    package var trustAnchors: String?
    /// Whether machines with a good endorsement are approved without an operator.
    package var approvesOnEnrolment = false
    /// How long a token is valid, in seconds: 30 to 3600.
    package var tokenLifetime: Int64 = 300
    /// Whether passports say where they can be withdrawn before they expire.
    package var refersToStatusLists = true
    /// How long a session waits for its evidence, in seconds.
    package var sessionLifetime: Int64 = 150
    /// How long a transaction waits for another program's before the database counts as unavailable, in seconds.
    package var databaseTimeout = 5.0
    /// This verifier's chain in the ledger; by default a random name, made once and kept in the data directory.
    package var ledgerChain: String?
    /// To which addresses messages about events are sent, beside the public internet: none.
    package var receivers = ReceiverRules()
    /// A PEM file of the authorities that vouch for receivers, in place of the system's.
    package var receiverAuthorityFile: String?
    /// How long a receiver has for its answer, in seconds.
    package var receiverTimeout: Int64 = 15
    /// How often the database is asked for messages to send.
    package var webhookInterval = Duration.seconds(1)
    /// Limits of every request.
    package var limits = ServiceLimits()
    /// Limits of what is done for machines.
    package var workLimits = WorkLimits()
    /// The time.
    package var clock = WallClock.system
    /// Where log entries go.
    package var logger: Logger

    /// A configuration with what has no default.
    package init(
        dataDirectory: String, address: ListenAddress, security: TransportSecurity, issuer: String, audiences: [String],
        logger: Logger
    ) {
        self.dataDirectory = dataDirectory
        self.address = address
        self.security = security
        self.issuer = issuer
        self.audiences = audiences
        self.logger = logger
    }

    /// Checks what the types do not.
    package func check() throws(VerifierConfigurationError) {
        guard issuer.hasPrefix("https://"), issuer.utf8.count <= 256, !issuer.hasSuffix("/"),
            issuer.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !issuer.contains(where: { "?#\"\\".contains($0) })
        else { throw VerifierConfigurationError.issuer(issuer) }
        guard !audiences.isEmpty else { throw .noAudience }
        for audience in audiences {
            guard (1...256).contains(audience.utf8.count), audience.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else {
                throw .audience(audience)
            }
        }
        try Self.check(ledgerChain: ledgerChain)
        guard (30...3600).contains(tokenLifetime) else { throw .tokenLifetime(tokenLifetime) }
        guard (3600...400 * 86_400).contains(signingKeys.period) else { throw .signingKeyPeriod(signingKeys.period) }
        guard (SigningKeySchedule.shortestLead...signingKeys.period).contains(signingKeys.lead) else {
            throw .signingKeyLead(signingKeys.lead)
        }
        guard (10...600).contains(sessionLifetime) else { throw .sessionLifetime(sessionLifetime) }
        if let fault = clientCertificates?.fault(security) { throw .clientCertificates(fault) }
        guard (1...1000).contains(databaseConnections) else { throw .databaseConnections(databaseConnections) }
        try checkLimits()
    }

    /// Where the records are, and how they are kept.
    var records: RecordsSettings {
        var settings = RecordsSettings(dataDirectory: dataDirectory, name: issuer, logger: logger)
        settings.database = database
        settings.databaseTimeout = databaseTimeout
        settings.databaseConnections = databaseConnections
        settings.keyEncryptionKey = keyEncryptionKey
        settings.ledgerChain = ledgerChain
        settings.acceptsLedger = acceptsLedger
        settings.signingKeys = signingKeys
        settings.signingKeyInterval = signingKeyInterval
        settings.signingKeyNotice = signingKeyNotice
        settings.clock = clock
        return settings
    }

    /// Checks the name of a chain, where one is given.
    package static func check(ledgerChain name: String?) throws(VerifierConfigurationError) {
        guard let name, !LedgerEntryRecord.isChainName(name) else { return }
        throw .ledgerChain(name)
    }
}

/// What is wrong with a configuration. Each message says what to give instead.
package enum VerifierConfigurationError: Error, Equatable, CustomStringConvertible {
    /// An issuer that tokens cannot name.
    case issuer(String)
    /// An issuer that is not the one whose tokens the database has.
    case otherIssuer(String, kept: String)
    /// No audience: a passport for everybody is a passport that anybody can replay.
    case noAudience
    /// An audience that tokens cannot name.
    case audience(String)
    /// A chain's name that cannot be one.
    case ledgerChain(String)
    /// A lifetime out of its range.
    case tokenLifetime(Int64)
    /// A lifetime out of its range.
    case sessionLifetime(Int64)
    /// A period out of its range, in seconds.
    case signingKeyPeriod(Int64)
    /// A lead out of its range, in seconds.
    case signingKeyLead(Int64)
    /// A number of connections out of its range.
    case databaseConnections(Int)
    /// What is wrong with the settings of operators' certificates.
    case clientCertificates(String)
    /// A limit out of its range: which, what was given, and the range.
    case limit(String, Int, ClosedRange<Int>)
    /// Connections from proxies only, and no proxies.
    case proxyProtocolWithoutProxy
    /// A policy file that is no policy: path and reason.
    case policy(String, String)
    /// Trust anchors that cannot be used: path and reason.
    case trustAnchors(String, String)
    /// Authorities of receivers that cannot be used: path and reason.
    case receiverAuthorities(String, String)

    /// A sentence for the operator.
    package var description: String {
        switch self {
        case .issuer(let issuer):
            "--issuer \(issuer) is not an https URI without query, fragment and final slash, such as https://verifier.example"
        case .otherIssuer(let issuer, let kept):
            "--issuer \(issuer) is not the issuer of this database's tokens, which is \(kept). Verifiers that share a database have "
                + "one issuer. Where the name is to change: stop all of them, and start the first one once with --change-issuer."
        case .noAudience: "Name at least one --audience: the relying parties that may accept the passports."
        case .audience(let audience): "--audience \(audience) is not a name of 1 to 256 visible characters of ASCII"
        case .ledgerChain(let name):
            "--ledger-chain \(name) is not a name of 1 to 64 letters, digits, dots, dashes and underscores"
        case .tokenLifetime(let seconds): "A token lifetime of \(seconds) seconds is not between 30 and 3600"
        case .sessionLifetime(let seconds): "A session lifetime of \(seconds) seconds is not between 10 and 600"
        case .signingKeyPeriod(let seconds):
            "A signing key's period of \(seconds) seconds is not between an hour and 400 days"
        case .signingKeyLead(let seconds):
            "A signing key's lead of \(seconds) seconds is not between \(SigningKeySchedule.shortestLead) and its period"
        case .databaseConnections(let count): "--database-connections \(count) is not between 1 and 1000"
        case .clientCertificates(let reason): "--client-ca: \(reason)"
        case .limit(let name, let value, let range):
            "--\(name) \(value) is not between \(range.lowerBound) and \(range.upperBound)"
        case .proxyProtocolWithoutProxy:
            "--proxy-protocol lets nobody in but proxies. Name them with --trusted-proxy."
        case .policy(let path, let reason): "--policy \(path): \(reason)"
        case .trustAnchors(let path, let reason): "--trust-anchors \(path): \(reason)"
        case .receiverAuthorities(let path, let reason): "--webhook-ca-file \(path): \(reason)"
        }
    }
}
