internal import CarnetRelyingParty

/// What admission says to a request.
public enum NodeDecision: Sendable, Hashable {
    /// The request may be signed.
    case admit(AdmittedNode)
    /// It never will be.
    case deny(Denial)
    /// It cannot be decided now, and may be later: ask again with the same request.
    case wait(Denial)
}

/// Whose request may be signed, and on which passport that stands.
public struct AdmittedNode: Sendable, Hashable {
    /// The node's name in the cluster.
    public let node: String
    /// The machine's enrolment at the verifier, a URI.
    public let subject: String
    /// The passport's `jti`. Whoever approves takes each for one request of each signer.
    public let tokenID: String
    /// The thumbprint (RFC 7638) of the key that is certified, which is the one that was attested.
    public let keyThumbprint: String
    /// Seconds since 1970.
    public let passportIssuedAt: Int64
    /// Seconds since 1970.
    public let passportExpiresAt: Int64

    init(_ node: String, _ verified: VerifiedResult) {
        self.node = node
        subject = verified.subject
        tokenID = verified.tokenID
        keyThumbprint = verified.keyThumbprint
        passportIssuedAt = verified.issuedAt
        passportExpiresAt = verified.expiresAt
    }
}

/// Why a request is not signed.
public struct Denial: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller may branch on, and what Kubernetes shows as a condition's reason: in CamelCase, and stable.
    public let reason: String
    /// One sentence that says what was found, and one that says what to do. It holds no token, and at most 1,000 characters.
    public let message: String

    /// The reason and the message.
    public var description: String { "\(reason): \(message)" }

    package init(_ reason: Reason, _ sentence: String, nextStep: String) {
        self.init(reason.rawValue, sentence, nextStep)
    }

    init(_ reason: String, _ sentence: String, _ nextStep: String) {
        self.reason = reason
        message = String("\(sentence). \(nextStep).".prefix(1000))
    }

    /// The reasons that the request itself gives. Those that its passport gives begin with `Passport` too and end with what the SDK's
    /// refusal is called: `PassportExpired`, `PassportTier`, `PassportRevoked`.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The requester is neither the node itself nor, for its first certificate, in a group that may ask for new nodes.
        case requesterNotAllowed = "RequesterNotAllowed"
        /// The requester is another node's kubelet.
        case requesterIsAnotherNode = "RequesterIsAnotherNode"
        case usagesNotAllowed = "UsagesNotAllowed"
        case lifeNotAllowed = "LifeNotAllowed"
        case requestUnreadable = "RequestUnreadable"
        case foreignBlock = "ForeignBlock"
        case subjectNotAllowed = "SubjectNotAllowed"
        case nodeNameNotAllowed = "NodeNameNotAllowed"
        case alternativeNamesNotAllowed = "AlternativeNamesNotAllowed"
        case extensionNotAllowed = "ExtensionNotAllowed"
        case attributeNotAllowed = "AttributeNotAllowed"
        case keyNotAllowed = "KeyNotAllowed"
        case passportMissing = "PassportMissing"
        case passportsDiffer = "PassportsDiffer"
        case passportUnreadable = "PassportUnreadable"
        /// The passport served another request already.
        case passportUsed = "PassportUsed"
        /// The holder of the key did not sign the request.
        case signatureWrong = "SignatureWrong"
        /// The passport is bound to another key than the request's.
        case keyNotAttested = "KeyNotAttested"
        /// Nobody says which node the machine is.
        case machineNotNamed = "MachineNotNamed"
        /// The machine is another node.
        case machineIsAnotherNode = "MachineIsAnotherNode"
        /// The node's addresses are not known.
        case nodeNotKnown = "NodeNotKnown"
        /// An address is not the node's.
        case addressNotTheNodes = "AddressNotTheNodes"
        /// Another node has the address.
        case addressIsAnothers = "AddressIsAnothers"
        /// The request waited for longer than any passport lives.
        case waitedTooLong = "WaitedTooLong"
        /// No passport can be checked now: keys or status lists are missing or too old.
        case passportsCannotBeChecked = "PassportsCannotBeChecked"
    }
}
