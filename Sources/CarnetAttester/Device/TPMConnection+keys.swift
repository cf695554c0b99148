internal import CTSS2
public import TPM2

extension TPMConnection {
    /// Makes a primary key from a template (`TPM2_CreatePrimary`), runs `body` with it, and flushes it on every path.
    ///
    /// The same template gives the same key in the same TPM until the hierarchy's seed is changed. The keys have no password.
    ///
    /// - Parameter hierarchy: The hierarchy, whose authorisation value must be empty.
    public func withPrimaryKey<Result>(
        _ template: TPM.Public, in hierarchy: TPM.Hierarchy = .endorsement, _ body: (LoadedKey) throws -> Result
    ) throws -> Result {
        let key = try makePrimary(template, hierarchy)
        defer { flush(key.handle) }
        return try body(key)
    }

    private func makePrimary(_ template: TPM.Public, _ hierarchy: TPM.Hierarchy) throws(TPMError) -> LoadedKey {
        let parent: UInt32 =
            switch hierarchy {
            case .endorsement: Self.endorsementHierarchy
            case .owner: Self.ownerHierarchy
            case .null: UInt32(ESYS_TR_RH_NULL)
            case .platform: UInt32(ESYS_TR_RH_PLATFORM)
            }
        var sensitive = TPM2B_SENSITIVE_CREATE()
        var request = TPM2B_PUBLIC()
        try fill(&request.publicArea, from: template.bytes, "TPMT_PUBLIC", Tss2_MU_TPMT_PUBLIC_Unmarshal)
        var outsideInfo = TPM2B_DATA()
        var creationPCR = TPML_PCR_SELECTION()
        var handle = Self.none
        var made: UnsafeMutablePointer<TPM2B_PUBLIC>?
        defer { Esys_Free(made) }
        try check(
            "TPM2_CreatePrimary",
            Esys_CreatePrimary(
                try esys(), parent, Self.password, Self.none, Self.none, &sensitive, &request, &outsideInfo,
                &creationPCR, &handle, &made, nil, nil, nil))
        do throws(TPMError) {
            guard let made else { throw error(.malformed, "TPM2_CreatePrimary", "the answer has no public area") }
            return LoadedKey(handle: handle, publicArea: try publicArea(made))
        } catch {
            flush(handle)
            throw error
        }
    }

    /// The public area of a `TPM2B_PUBLIC`.
    private func publicArea(_ pointer: UnsafeMutablePointer<TPM2B_PUBLIC>) throws(TPMError) -> TPM.Public {
        let bytes = try bytes(of: &pointer.pointee.publicArea, "TPMT_PUBLIC", Tss2_MU_TPMT_PUBLIC_Marshal)
        do {
            return try TPM.Public(parsing: bytes)
        } catch let failure {
            throw error(.malformed, "TPMT_PUBLIC", "the TPM's public area cannot be read: \(failure)")
        }
    }

    /// Removes a key or a session from the TPM. What the TPM removed already is no error.
    func flush(_ handle: UInt32) {
        guard let context = try? esys() else { return }
        _ = Esys_FlushContext(context, handle)
    }

    /// Runs `body` with a policy session in which `TPM2_PolicySecret` of the endorsement hierarchy was satisfied (PolicyA of the
    /// EK Credential Profile), and flushes the session on every path.
    func withEndorsementSession<Result>(
        _ hash: TPM.AlgorithmID, _ body: (UInt32) throws -> Result
    ) throws -> Result {
        var symmetric = TPMT_SYM_DEF()
        symmetric.algorithm = TPM2_ALG_NULL
        var session = Self.none
        let esys = try esys()
        try check(
            "TPM2_StartAuthSession",
            Esys_StartAuthSession(
                esys, Self.none, Self.none, Self.none, Self.none, Self.none, nil, TPM2_SE_POLICY, &symmetric,
                hash.rawValue, &session))
        defer { flush(session) }
        try check(
            "TPM2_PolicySecret",
            Esys_PolicySecret(
                esys, Self.endorsementHierarchy, session, Self.password, Self.none, Self.none, nil, nil, nil, 0, nil,
                nil))
        return try body(session)
    }
}
