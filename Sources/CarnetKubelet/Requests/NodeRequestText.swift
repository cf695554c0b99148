internal import CarnetResult
package import Cryptography
internal import NodeAdmission
internal import StrictEncoding

/// A node's request for a certificate, as API servers and `carnet admit` read it: PEM, the passport inside the request and behind it.
package enum NodeRequestText {
    /// A request by the key that the passport is bound to.
    package static func make(
        node: String, key: PrivateKey, showing passport: [UInt8],
        alternativeNames: CertificateRequest.AlternativeNames = .init()
    ) throws(CryptographyError) -> String {
        let request = try CertificateRequest(
            subject: [.organization(NodeName.group), .commonName(NodeName.userPrefix + node)],
            alternativeNames: alternativeNames, extensions: [PassportCarrier.certificateExtension(carrying: passport)],
            signedBy: key)
        return PEM.Block(label: PassportCarrier.requestLabel, content: request.der).text
            + PassportCarrier.block(carrying: passport).text
    }
}
