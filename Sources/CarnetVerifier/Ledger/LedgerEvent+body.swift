import StrictEncoding

extension LedgerEvent {
    /// The entry's body: one JSON object, its members in the order of this page, strings in UTF-8.
    ///
    /// - Parameter actorName: The name of the actor's API token at this moment.
    func body(actorName: String?) -> [UInt8] {
        JSONWriter.object { writer in
            switch self {
            case .appraisal(let entry): entry.write(to: &writer, requesterName: actorName)
            case .enrolment(let step):
                step.write(to: &writer)
                if let by = step.by { writer.actor(by, actorName) }
            case .revocation(let revocation):
                writer.actor(revocation.decidedBy, actorName)
                writer.integer("revocation", revocation.number)
                writer.string("what", revocation.target.kind)
                writer.string("target", revocation.target.subject)
                writer.string("reason", revocation.reason)
                writer.integer("tokens", Int64(revocation.tokenCount))
                writer.string("sha256", Hexadecimal.encode(revocation.digest))
            case .release(let release):
                writer.actor(release.by, actorName)
                writer.string("secret", release.secret)
                writer.string("jti", release.tokenID)
                writer.string("outcome", release.isGranted ? "granted" : "refused")
                if let reason = release.reason { writer.string("reason", reason) }
            case .operation(let action):
                writer.actor(action.by, actorName)
                writer.string("action", action.action.rawValue)
                writer.string("target", action.target)
                writer.string("outcome", action.isDone ? "done" : "refused")
                if !action.details.isEmpty {
                    writer.object("details") { writer in
                        for (name, value) in action.details.sorted(by: { $0.key < $1.key }) {
                            writer.string(named: name, value)
                        }
                    }
                }
            case .service(let step):
                writer.string("step", step.isStart ? "start" : "stop")
                writer.string("version", step.version)
            case .key(let step):
                if let by = step.by { writer.actor(by, actorName) }
                writer.string("kid", step.keyID)
                writer.string("purpose", step.purpose)
                writer.string("state", step.state)
                if !step.reason.isEmpty { writer.string("reason", step.reason) }
            case .prune(let pruning):
                writer.actor(pruning.by, actorName)
                writer.integer("before", pruning.before)
                writer.integer("checkpoint", pruning.checkpoint)
                writer.integer("entries", pruning.count)
            case .webhook(let loss): loss.write(to: &writer)
            }
        }
    }
}

extension EnrolmentStep {
    fileprivate func write(to writer: inout JSONWriter) {
        switch self {
        case .requested(let id, let name, let endorsementKey, let attestationKey):
            writer.string("id", id)
            writer.string("name", name)
            writer.string("ek_sha256", Hexadecimal.encode(endorsementKey))
            writer.string("ak", Hexadecimal.encode(attestationKey))
        case .refused(let name, let endorsementKey, let reason):
            writer.string("name", name)
            writer.string("ek_sha256", Hexadecimal.encode(endorsementKey))
            writer.string("reason", reason)
        case .activated(let id, let identity, let approver):
            writer.string("id", id)
            writer.string("name", identity.name)
            writer.string("ek_sha256", Hexadecimal.encode(identity.endorsementKeyDigest))
            writer.string("ak", Hexadecimal.encode(identity.attestationKeyName))
            writer.string("endorsement", identity.endorsement.rawValue)
            writer.string("state", approver == nil ? "pending" : "approved")
        case .approved(let id, _): writer.string("id", id)
        case .removed(let id, let name, _):
            writer.string("id", id)
            writer.string("name", name)
        }
    }
}

extension JSONWriter {
    /// Who did it: the API token's identifier, and the name that it had.
    mutating func actor(_ id: String, _ name: String?) {
        object("by") { writer in
            writer.string("id", id)
            if let name { writer.string("name", name) }
        }
    }
}
