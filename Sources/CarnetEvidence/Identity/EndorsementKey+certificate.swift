public import Cryptography

/// An endorsement key that a TPM's maker certified, or that an operator registered.
public struct TrustedEndorsementKey: Sendable {
    public let key: EndorsementKey
    public let ground: Ground

    /// Why it is trusted.
    public enum Ground: Sendable, Hashable {
        /// A certificate that leads to an anchor, with the maker, model and version that it states.
        case certificate(manufacturer: String?, model: String?, version: String?)
        /// The operator registered its fingerprint.
        case registration
    }
}

extension EndorsementKey {
    /// tcg-kp-EKCertificate (TCG EK Credential Profile 2.6 §3.1.5).
    static let certificateUsage = "2.23.133.8.1"

    /// Trusts this key because of a certificate: for this key, for this use, leading to an anchor.
    ///
    /// - Parameter now: Seconds since 1970.
    public func certified(
        by certificate: Certificate, intermediates: [Certificate], anchors: [Certificate], at now: Int64
    ) throws(Unsuitable) -> TrustedEndorsementKey {
        func unsuitable(_ rule: String, _ description: String, _ remedy: String) -> Unsuitable {
            Unsuitable(rule: rule, description: description, remedy: remedy)
        }
        let replace = "Read the certificate again from the TPM; if it is the maker's, report it to the maker"
        do {
            guard try certificate.publicKey() == key else {
                throw unsuitable(
                    "ek-certificate-key", "the endorsement certificate is for another key",
                    "Send the certificate of this key")
            }
            try CertificateChain.verify(certificate, intermediates: intermediates, anchors: anchors, at: now)
        } catch let error as Unsuitable {
            throw error
        } catch {
            throw unsuitable(
                "ek-certificate-chain", "the endorsement certificate does not lead to a trust anchor: \(error)",
                "Import the maker's root with `carnet trust import`, or send the intermediate certificates along")
        }
        guard certificate.extendedKeyUsages.contains(Self.certificateUsage) else {
            throw unsuitable(
                "ek-certificate-usage", "the certificate is not for endorsement (EKU \(Self.certificateUsage))", replace
            )
        }
        guard !certificate.isAuthority else {
            throw unsuitable("ek-certificate-usage", "the certificate is an authority's, not a TPM's", replace)
        }
        let needed: Certificate.KeyUsage = if case .rsa = key.kind { .keyEncipherment } else { .keyAgreement }
        if let usage = certificate.keyUsage, !usage.contains(needed) {
            throw unsuitable("ek-certificate-usage", "the certificate's key usage does not allow endorsement", replace)
        }
        let attributes = certificate.tpmAttributes
        return TrustedEndorsementKey(
            key: self,
            ground: .certificate(
                manufacturer: attributes["2.23.133.2.1"], model: attributes["2.23.133.2.2"],
                version: attributes["2.23.133.2.3"]))
    }

    /// Trusts this key because an operator registered its fingerprint.
    public func registered(as fingerprint: [UInt8]) -> TrustedEndorsementKey? {
        constantTimeEqual(self.fingerprint, fingerprint) ? TrustedEndorsementKey(key: self, ground: .registration) : nil
    }
}
