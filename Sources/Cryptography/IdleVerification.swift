import COpenSSL
import Synchronization

/// Keeps one EVP_PKEY_CTX of a key from one signature check to the next: setting one up costs a twentieth of the check.
///
/// Whoever takes the context has it alone; a second thread that comes meanwhile makes its own.
final class IdleVerification: Sendable {
    private struct Ready: @unchecked Sendable {
        let context: OpaquePointer
        let hash: HashAlgorithm
    }

    private let ready = Mutex<Ready?>(nil)

    deinit { ready.withLock { EVP_PKEY_CTX_free($0?.context) } }

    /// A context for ECDSA with `hash` under `key`, to be given back or freed; `nil` when libcrypto makes none.
    func take(_ hash: HashAlgorithm, for key: OpaquePointer) -> OpaquePointer? {
        let kept = ready.withLock { ready in
            defer { if ready?.hash == hash { ready = nil } }
            return ready?.hash == hash ? ready : nil
        }
        if let kept { return kept.context }
        let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        guard EVP_PKEY_verify_init(context) == 1, EVP_PKEY_CTX_set_signature_md(context, hash.evp) == 1 else {
            EVP_PKEY_CTX_free(context)
            return nil
        }
        return context
    }

    /// Keeps a context that did its work without an error.
    func keep(_ context: OpaquePointer, _ hash: HashAlgorithm) {
        let replaced = ready.withLock { ready in
            defer { ready = Ready(context: context, hash: hash) }
            return ready
        }
        EVP_PKEY_CTX_free(replaced?.context)
    }
}
