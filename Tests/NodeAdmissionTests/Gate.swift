import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import NodeAdmission
import StrictEncoding
import Testing

/// The cast: one forge plays the verifier, its holder's key is node-17's, and the clock stands at 1,800,000,000 seconds.
struct Gate {
    static let now: Int64 = 1_800_000_000
    static let issuer = "https://verifier.example"
    static let audience = "https://cluster-a.example"
    static let node = "node-17"
    static let list = "https://verifier.example/status-lists/1"
    let forge: TokenForge
    var rules = AdmissionRules()
    var verifier: PassportVerifier

    init(_ adjust: (inout Expectations) -> Void = { _ in }) throws {
        forge = try TokenForge()
        var expectations = AdmissionRules.expectations(issuer: Self.issuer, audience: Self.audience)
        adjust(&expectations)
        verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations)
    }

    /// A passport for node-17's machine; every fault is said by name.
    func passport(
        audience: [String] = [audience], issuedAt: Int64 = now, status: TrustTier = .affirming,
        label: String? = node, listed index: Int? = nil
    ) throws -> [UInt8] {
        try forge.signingKey.mint(
            forge.result(
                issuer: Self.issuer, audience: audience, issuedAt: issuedAt, status: status, protection: .software,
                statusReference: index.flatMap { StatusReference(uri: Self.list, index: $0) },
                nodeLabels: label.map { [NodeNames.defaultLabel: $0] } ?? [:]))
    }

    /// The gate with a status list at hand.
    func listing(issuedAt: Int64 = now, _ statuses: [Int: TokenStatus] = [:]) throws -> Gate {
        var gate = self
        let keySet = try JSONWebKeySet(parsing: forge.keySet)
        gate.verifier = verifier.checking(
            try StatusLists([forge.statusList(Self.list, issuedAt: issuedAt, statuses)], keySet: keySet))
        return gate
    }

    static func names(_ name: String = node) -> [CertificateRequest.NameAttribute] {
        [.organization("system:nodes"), .commonName("system:node:" + name)]
    }

    /// A good text for spec.request.
    func text(
        _ passport: [UInt8], name: String = node, alternativeNames: CertificateRequest.AlternativeNames = .init(),
        inside: Bool = true, behind: Bool = true
    ) throws -> String {
        let request = try CertificateRequest(
            subject: Self.names(name), alternativeNames: alternativeNames,
            extensions: inside ? [PassportCarrier.certificateExtension(carrying: passport)] : [],
            signedBy: forge.holderKey)
        return Self.block(request.der) + (behind ? PassportCarrier.block(carrying: passport).text : "")
    }

    static func block(_ der: [UInt8]) -> String { PEM.Block(label: PassportCarrier.requestLabel, content: der).text }

    /// The same of parts that no honest tool writes.
    func text(_ change: (inout HandMadeRequest) throws -> Void) throws -> String {
        try text(showing: passport(), change)
    }

    func text(showing passport: [UInt8], _ change: (inout HandMadeRequest) throws -> Void) throws -> String {
        var request = HandMadeRequest([
            HandMadeDER.nameAttribute("2.5.4.10", "system:nodes"),
            HandMadeDER.nameAttribute("2.5.4.3", "system:node:" + Self.node),
        ])
        let carrier = PassportCarrier.certificateExtension(carrying: passport)
        request.extensions = [HandMadeDER.certificateExtension(carrier.identifier, carrier.der)]
        try change(&request)
        return Self.block(try request.der(signedBy: forge.holderKey))
    }

    static func request(
        _ text: String, by username: String = "system:bootstrap:abcdef",
        groups: [String] = ["system:bootstrappers", "system:authenticated"],
        usages: [String] = ["digital signature", "client auth"], life: Int64? = 14_400, createdAt: Int64? = nil
    ) -> NodeCertificateRequest {
        NodeCertificateRequest(
            name: "csr-1", signer: .apiServerClientKubelet, request: Array(text.utf8), usages: usages,
            expirationSeconds: life, username: username, groups: groups, createdAt: createdAt)
    }

    static func serving(
        _ text: String, by username: String = "system:node:" + node, groups: [String] = ["system:nodes"],
        usages: [String] = ["digital signature", "server auth"]
    ) -> NodeCertificateRequest {
        NodeCertificateRequest(
            name: "csr-2", signer: .kubeletServing, request: Array(text.utf8), usages: usages,
            expirationSeconds: 14_400, username: username, groups: groups)
    }

    func decide(_ request: NodeCertificateRequest, at now: Int64 = now, known: KnownNode? = nil) -> NodeDecision {
        rules.decide(request, by: verifier, at: now, known: known)
    }

    /// What a good request with this text is told.
    func answer(_ text: String, at now: Int64 = now) -> String { decide(Self.request(text), at: now).word }
}

extension NodeDecision {
    /// `admit`, or the reason after `deny ` or `wait `.
    var word: String {
        switch self {
        case .admit: "admit"
        case .deny(let denial): "deny " + denial.reason
        case .wait(let denial): "wait " + denial.reason
        }
    }
}
