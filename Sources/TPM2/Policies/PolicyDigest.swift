public import Cryptography

extension TPM {
    /// A policy digest as a policy session accumulates it (Part 3 §23; Part 1 §19.7).
    public struct PolicyDigest: Sendable, Hashable {
        public let hash: HashAlgorithm
        /// The digest so far: zeros for the empty policy.
        public private(set) var bytes: [UInt8]

        /// The empty policy.
        public init(_ hash: HashAlgorithm = .sha256) {
            self.hash = hash
            bytes = [UInt8](repeating: 0, count: hash.byteCount)
        }

        /// A digest that was computed elsewhere; `nil` when it has another length than the hash.
        public init?(_ hash: HashAlgorithm, bytes: [UInt8]) {
            guard bytes.count == hash.byteCount else { return nil }
            self.hash = hash
            self.bytes = bytes
        }

        /// TPM2_PolicyPCR: the selected PCRs have these values, concatenated in the order of the selection.
        public func pcr(_ selection: PCRSelectionList, values: [[UInt8]]) -> Self {
            extended(0x0000_017F, selection.bytes + hash.hash(Array(values.joined())))
        }

        /// TPM2_PolicySecret: knowledge of an entity's authorisation value.
        public func secret(of entity: [UInt8], reference: [UInt8] = []) -> Self {
            let once = extended(0x0000_0151, entity)
            return once.replaced(hash.hash(once.bytes, reference))
        }

        /// TPM2_PolicyOR: any one of two to eight policies.
        public func or(_ policies: [PolicyDigest]) -> Self {
            Self(hash).extended(0x0000_0171, Array(policies.map(\.bytes).joined()))
        }

        /// TPM2_PolicyAuthValue: knowledge of the object's own authorisation value, such as a PIN.
        public func authValue() -> Self { extended(0x0000_016B, []) }

        /// TPM2_PolicyAuthorize: any policy that the key of this name signed, together with the reference.
        public func authorize(keyName: Name, reference: [UInt8] = []) -> Self {
            let once = Self(hash).extended(0x0000_016A, keyName.bytes)
            return once.replaced(hash.hash(once.bytes, reference))
        }

        /// TPM2_PolicyAuthorizeNV: the policy that is stored in an NV index of this name.
        public func authorizeNV(indexName: [UInt8]) -> Self { Self(hash).extended(0x0000_0192, indexName) }

        private func extended(_ commandCode: UInt32, _ argument: [UInt8]) -> Self {
            var writer = Writer()
            writer.uint32(commandCode)
            return replaced(hash.hash(bytes, writer.bytes, argument))
        }

        private func replaced(_ bytes: [UInt8]) -> Self {
            var copy = self
            copy.bytes = bytes
            return copy
        }
    }
}
