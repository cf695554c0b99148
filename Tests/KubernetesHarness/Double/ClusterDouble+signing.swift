import StrictEncoding

extension ClusterDouble {
    /// Signs an approved request a moment later, as the controller manager does.
    func sign(_ request: StoredObject) {
        guard options.signs else { return }
        Task { signNow(request.key) }
    }

    private func signNow(_ key: ObjectKey) {
        while let present = store.object(.signingRequests, key) {
            var object = present.value
            let conditions = object["status"]?["conditions"]?.elements ?? []
            func has(_ type: String) -> Bool { conditions.contains { $0["type"]?.string == type } }
            guard has("Approved"), !has("Denied"), !has("Failed"), object["status"]?["certificate"] == nil else {
                return
            }
            do {
                switch try signer.sign(object) {
                case .ignored: return
                case .certificate(let pem): object["status", "certificate"] = .string(Base64.encode(Array(pem.utf8)))
                case .failed(let reason):
                    object["status", "conditions"] = .array(
                        conditions + [
                            [
                                "type": "Failed", "status": "True", "reason": "SignerValidationFailure",
                                "message": .string(reason), "lastUpdateTime": .string(time),
                                "lastTransitionTime": .string(time),
                            ]
                        ])
                }
            } catch {
                return
            }
            guard case .changed = store.update(.signingRequests, key, seen: present.version, object) else { return }
        }
    }
}
