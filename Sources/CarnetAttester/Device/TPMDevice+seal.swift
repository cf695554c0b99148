internal import CTSS2
internal import Cryptography
internal import TPM2

extension TPMDevice {
    /// The longest secret that is sealed, in bytes: what every TPM takes (Part 2 §11.1.14, `MAX_SYM_DATA`).
    public static let maximumSealedByteCount = 128

    /// The storage key under which this machine seals: derived from the endorsement seed, the same until the TPM is given another one.
    func sealingParent() throws(TPMDeviceError) -> LoadedKey {
        try storageKey(unique: HashAlgorithm.sha256.hash(Array("carnet/sealing/parent/v1".utf8)))
    }

    /// Seals a secret (TPM2_Create). It goes to the TPM encrypted, and so does the PIN.
    ///
    /// - Parameters:
    ///   - secret: 1 to 128 bytes.
    ///   - pin: Opens it too, where the policy has a PIN; at most 32 bytes.
    public func seal(
        _ secret: [UInt8], policy: SealingPolicy, pin: [UInt8] = []
    ) throws(TPMDeviceError) -> SealedMessage {
        guard (1...Self.maximumSealedByteCount).contains(secret.count) else {
            throw TPMDeviceError(
                .refused, device: name,
                "A TPM seals 1 to \(Self.maximumSealedByteCount) bytes, not \(secret.count). Seal a key, and encrypt the rest with it."
            )
        }
        guard policy.hasPIN != pin.isEmpty, pin.count <= 32, pin.last != 0 else {
            throw TPMDeviceError(
                .refused, device: name, "A PIN has 1 to 32 bytes, and does not end with a zero byte. Choose another.")
        }
        let parent = try sealingParent()
        defer { parent.close() }
        let template = TPM.SealedPublic(attributes: policy.attributes, authPolicy: policy.digest)
        guard
            var area = Wire.structure(TPM2B_PUBLIC(), Wire.sized(template.bytes), Tss2_MU_TPM2B_PUBLIC_Unmarshal),
            var sensitive = Wire.structure(
                TPM2B_SENSITIVE_CREATE(), Wire.sized(Wire.sized(pin) + Wire.sized(secret)),
                Tss2_MU_TPM2B_SENSITIVE_CREATE_Unmarshal)
        else { throw invalid("The secret") }
        let session = try encryptingSession(parent, .command)
        defer { flush(session) }
        var outside = TPM2B_DATA(), selection = TPML_PCR_SELECTION()
        var made: UnsafeMutablePointer<TPM2B_PRIVATE>?
        var madePublic: UnsafeMutablePointer<TPM2B_PUBLIC>?
        try call("TPM2_Create") { context in
            Esys_Create(
                context, parent.handle, session, Self.none, Self.none, &sensitive, &area, &outside, &selection, &made,
                &madePublic, nil, nil, nil)
        }
        defer { Esys_Free(made) }
        let publicArea = try take(madePublic) { Wire.bytes($0, Tss2_MU_TPM2B_PUBLIC_Marshal) }
        guard let made else { throw invalid("The answer to TPM2_Create") }
        let message = SealedMessage(
            parent: parent.publicArea.name.bytes, policy: policy, publicArea: publicArea,
            privateArea: Wire.sized(Wire.content(made)))
        try check(message, under: parent)
        return message
    }

    /// Opens what this TPM sealed (TPM2_Load, the policy, TPM2_Unseal). It comes back encrypted.
    ///
    /// - Parameters:
    ///   - pin: Tried where the message has a PIN and its state is no longer the machine's.
    ///   - approval: What an operator approved, for a message that wants it.
    /// - Throws: ``TPMDeviceError/Code/stateChanged``, with the PCRs that changed; ``TPMDeviceError/Code/notForThisTPM`` for an object that
    ///   another TPM made, that was imported, or that has another policy than the message says.
    public func unseal(
        _ message: SealedMessage, pin: [UInt8]? = nil, approval: PolicyApproval? = nil
    ) throws(TPMDeviceError) -> [UInt8] {
        try unseal(message) { () throws(TPMDeviceError) in
            try way(of: message.policy, pin: pin, approval: approval)
        }
    }

    /// Opens what this TPM sealed by the PIN, also where the state would do.
    ///
    /// - Throws: ``TPMDeviceError``; `notForThisTPM` for a wrong PIN, which the TPM counts.
    func unseal(_ message: SealedMessage, byPIN pin: [UInt8]) throws(TPMDeviceError) -> [UInt8] {
        try unseal(message) { () throws(TPMDeviceError) in
            guard message.policy.hasPIN, !pin.isEmpty else {
                throw TPMDeviceError(.refused, device: name, "No PIN opens this. Seal it with one.")
            }
            return .pin(pin, message.policy.alternatives)
        }
    }

    /// Whether this TPM made an object with the policy that its message states, and takes it; no PIN is tried.
    func loads(_ message: SealedMessage) -> Bool {
        do throws(TPMDeviceError) {
            let parent = try sealingParent()
            defer { parent.close() }
            try check(message, under: parent)
            flush(try load(message, under: parent))
            return true
        } catch {
            return false
        }
    }

    private func unseal(
        _ message: SealedMessage, _ choose: () throws(TPMDeviceError) -> UnsealingWay
    ) throws(TPMDeviceError) -> [UInt8] {
        let parent = try sealingParent()
        defer { parent.close() }
        try check(message, under: parent)
        let way = try choose()
        let object = try load(message, under: parent)
        defer { flush(object) }
        if case .pin(let pin, _) = way {
            guard var auth = Wire.digest(pin) else { throw invalid("The PIN") }
            try call("Esys_TR_SetAuth") { context in Esys_TR_SetAuth(context, object, &auth) }
        }
        let encryption = try encryptingSession(parent, .answer)
        defer { flush(encryption) }
        var output: UnsafeMutablePointer<TPM2B_SENSITIVE_DATA>?
        try satisfy(way, under: parent) { (session) throws(TPMDeviceError) in
            try call("TPM2_Unseal") { context in
                Esys_Unseal(context, object, session, encryption, Self.none, &output)
            }
        }
        return try take(output) { Wire.content($0) }
    }

    /// Requires that an object is one that this TPM made under `parent`, with the policy that its message states and no other.
    private func check(_ message: SealedMessage, under parent: LoadedKey) throws(TPMDeviceError) {
        func foreign(_ reason: String) -> TPMDeviceError {
            TPMDeviceError(
                .notForThisTPM, device: name,
                "The sealed object is not opened: \(reason). Seal again, from a copy of the secret that is kept elsewhere."
            )
        }
        guard message.parent == parent.publicArea.name.bytes else {
            throw foreign("another TPM made it, or this one was given another seed since")
        }
        // tpm2-tss passes over the size of a TPM2B_PUBLIC; here an object has one spelling.
        guard Wire.sized(Array(message.publicArea.dropFirst(2))) == message.publicArea,
            let area = try? TPM.SealedPublic(parsing: Array(message.publicArea.dropFirst(2)))
        else { throw foreign("its public area is none of a sealed object") }
        guard area.attributes == message.policy.attributes else {
            throw foreign(
                "its attributes are \(area.attributes), as of an object that was imported or made for something else")
        }
        guard area.authPolicy == message.policy.digest else {
            throw foreign("its policy is another than its message states")
        }
    }

    private func load(_ message: SealedMessage, under parent: LoadedKey) throws(TPMDeviceError) -> UInt32 {
        guard var area = Wire.structure(TPM2B_PUBLIC(), message.publicArea, Tss2_MU_TPM2B_PUBLIC_Unmarshal),
            var sensitive = Wire.structure(TPM2B_PRIVATE(), message.privateArea, Tss2_MU_TPM2B_PRIVATE_Unmarshal)
        else { throw invalid("The sealed object") }
        var object: UInt32 = 0
        try call("TPM2_Load") { context in
            Esys_Load(context, parent.handle, Self.password, Self.none, Self.none, &sensitive, &area, &object)
        }
        return object
    }
}
