import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import Foundation

/// What a bundle says.
struct BundleReport: Encodable {
    var file: String?
    let name: String
    let sequence: Int64
    let nextSigners: [String]
    let issuedAt: Int64
    let expiresAt: Int64
    let grace: Int64
    let issuers: [Issuer]
    let minimum: Minimum
    let verified: Bool
    var graceLeft: Int64?
    /// What a reader has to know to use the bundle rightly.
    var notes: [String]

    struct Issuer: Encodable {
        let issuer: String
        let keys: [String]
        let nextKeys: [String]
        let statusLists: [List]

        init(_ issuer: BundledIssuer) {
            self.issuer = issuer.name
            keys = issuer.currentKeys.verificationKeys.keys.sorted()
            nextKeys = issuer.nextKeys?.verificationKeys.keys.sorted() ?? []
            statusLists = issuer.statusLists.compactMap(List.init).sorted { $0.name < $1.name }
        }
    }

    /// One status list, as it says of itself.
    struct List: Encodable {
        let name: String
        let issuedAt: Int64
        let expiresAt: Int64?

        init?(_ token: [UInt8]) {
            guard let list = try? UnverifiedStatusListToken(parsing: token).unverifiedContent() else { return nil }
            (name, issuedAt, expiresAt) = (list.uri, list.issuedAt, list.expiresAt)
        }
    }

    struct Minimum: Encodable {
        let tier, depth, keyProtection: String?
        let policyIDs, policyDigests: [String]
        let maximumAge, maximumStatusAge: Int64?

        init(_ policy: MinimumPolicy) {
            tier = policy.tier?.rawValue
            depth = policy.depth?.rawValue
            keyProtection = policy.keyProtection?.rawValue
            (policyIDs, policyDigests) = (policy.policyIDs, policy.policyDigests)
            (maximumAge, maximumStatusAge) = (policy.maximumAge, policy.maximumStatusAge)
        }
    }

    /// - Parameter now: Seconds since 1970, by which the notes are written.
    init(_ link: BundleLink, _ content: BundleContent, verified: Bool, at now: Int64) {
        name = link.name
        sequence = link.sequence
        nextSigners = link.nextSigners.sorted()
        issuedAt = content.issuedAt
        expiresAt = content.expiresAt
        grace = content.grace
        issuers = content.issuers.map(Issuer.init)
        minimum = Minimum(content.minimum)
        self.verified = verified
        notes = Self.notes(issuers, minimum, at: now)
    }

    init(_ bundle: TrustBundle, at now: Int64) {
        name = bundle.name
        sequence = bundle.sequence
        nextSigners = bundle.trust.signers.sorted()
        issuedAt = bundle.issuedAt
        expiresAt = bundle.expiresAt
        grace = bundle.grace
        issuers = bundle.issuers.map(Issuer.init)
        minimum = Minimum(bundle.minimum)
        verified = true
        notes = Self.notes(issuers, minimum, at: now)
        if case .inGrace(let seconds) = bundle.freshness { graceLeft = seconds }
    }
}
