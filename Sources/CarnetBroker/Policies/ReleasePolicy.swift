import CarnetRelyingParty
import Cryptography

/// Who gets what: which passports open which secrets, and which disk keys in escrow.
///
/// It is read from one YAML file (``init(parsing:)``) and never changes. Without a policy that names a secret nobody gets it.
package struct ReleasePolicy: Sendable, Hashable {
    /// What has to be shown.
    package enum Freshness: String, Sendable, Hashable, CaseIterable {
        /// A passport.
        case passport
        /// A passport, and evidence that a verifier appraises at the moment of release.
        case backgroundCheck = "background-check"
    }

    /// In which form a secret is given.
    package enum Form: String, Sendable, Hashable, CaseIterable {
        case jwe
        case tpmImport = "tpm-import"
        /// To key-broker clients, which prove no possession: the secret is encrypted to the attested key, and that is all.
        case kbs
    }

    package let id: String
    /// The secrets that it opens.
    package let secrets: [SecretPattern]
    /// The volumes whose keys it opens to the machines that escrowed them; `*` for any.
    package let volumes: Set<String>
    /// The machines, by their subjects; empty for any.
    package let subjects: Set<String>
    package let demands: PassportDemands
    package let freshness: Freshness
    /// The forms of secrets.
    package let forms: Set<Form>
    /// The file's bytes.
    package let text: [UInt8]

    /// SHA-256 over ``text``.
    package var digest: [UInt8] { HashAlgorithm.sha256.hash(text) }

    /// Whether it says anything of a secret.
    package func covers(_ name: SecretName) -> Bool { secrets.contains { $0.matches(name) } }

    /// Whether it says anything of a volume.
    package func covers(volume: String) -> Bool { volumes.contains("*") || volumes.contains(volume) }

    init(_ draft: Draft, text: [UInt8]) {
        id = draft.id
        secrets = draft.secrets
        volumes = draft.volumes
        subjects = draft.subjects
        demands = draft.demands
        freshness = draft.freshness
        forms = draft.forms
        self.text = text
    }

    /// The members, as they were read.
    struct Draft {
        var id = ""
        var secrets: [SecretPattern] = []
        var volumes: Set<String> = []
        var subjects: Set<String> = []
        var demands = PassportDemands()
        var freshness = Freshness.passport
        var forms: Set<Form> = [.jwe]
    }
}
