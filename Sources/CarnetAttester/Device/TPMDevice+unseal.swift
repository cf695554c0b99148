public import CarnetResult
internal import CarnetEvidence
internal import TPM2

extension TPMDevice {
    /// Opens an import blob with the storage key of a state.
    ///
    /// - Parameter recipientInfo: What the blob must answer (``CarnetResult/SecretMessage/recipientInfo(passportHash:proofID:)``); `nil`
    ///   accepts any. The TPM compares it with what was sealed along with the secret.
    /// - Throws: ``TPMDeviceError``, and ``CarnetResult/JOSEError`` for a blob that is not for this machine's storage key.
    public func unseal(
        _ message: ImportMessage, with state: AttesterState, recipientInfo: [UInt8]? = nil
    ) throws -> [UInt8] {
        guard let selection = TPM.PCRSelectionList(text: message.pcrs) else {
            throw JOSEError.invalidMessage("pcrs is no PCR selection that is known here")
        }
        let parent = try storageKey(unique: state.encryptionUnique)
        guard parent.publicArea.name.bytes == message.parent else {
            throw JOSEError.notAuthentic("the import blob is for another storage key than this machine's")
        }
        return try unseal(
            TPM.ImportBlob(
                publicArea: message.publicArea, duplicate: message.duplicate, encryptedSeed: message.encryptedSeed),
            under: parent, selection: selection, authValue: recipientInfo)
    }
}
