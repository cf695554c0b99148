/// Why a node has no new certificate; a sentence for its operator. It holds no secret.
package struct KubeletError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller may branch on.
    package enum Code: Sendable, Hashable {
        /// The verifier gave no passport: the machine is not what the policy allows, or its evidence proves nothing.
        case refused
        /// The cluster said no.
        case denied
        /// The verifier, or the TPM, could not be asked.
        case unreachable
        /// Nobody decided in time.
        case patience
        /// The request is gone.
        case removed
        /// What was issued cannot be used.
        case certificate
        /// There is neither a certificate nor a bootstrap kubeconfig to ask with.
        case credential
        /// The node has no address that a serving certificate could name.
        case addresses
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
