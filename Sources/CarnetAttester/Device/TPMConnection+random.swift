internal import CTSS2

extension TPMConnection {
    /// Random bytes from the TPM's own source (`TPM2_GetRandom`), which may give fewer at a time.
    public func random(_ count: Int) throws(TPMError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var answer: UnsafeMutablePointer<TPM2B_DIGEST>?
            defer { Esys_Free(answer) }
            let missing = UInt16(clamping: min(count - bytes.count, 32))
            try check(
                "TPM2_GetRandom", Esys_GetRandom(try esys(), Self.none, Self.none, Self.none, missing, &answer))
            guard let answer, case let more = content(ofSized: answer), !more.isEmpty else {
                throw error(.malformed, "TPM2_GetRandom", "the TPM gave no bytes")
            }
            bytes += more
        }
        return bytes
    }
}
