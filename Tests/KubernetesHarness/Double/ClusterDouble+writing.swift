import Foundation
import NIOCore

extension ClusterDouble {
    /// Makes what an update is about and is not there, where the kind allows it.
    func createByUpdate(
        _ kind: ResourceKind, _ path: RequestPath, _ body: HarnessJSON, _ caller: Caller
    ) async throws -> Reply {
        guard kind.isMadeByUpdate, path.subresource == nil else { throw StatusFailure.notFound(kind, path.name) }
        let action = path.action("create")
        guard authorization.allows(caller, action) else { throw action.refusal(of: caller) }
        var body = body
        if let uid = body["metadata", "uid"]?.string, !uid.isEmpty {
            throw StatusFailure.conflict(
                kind, path.name, "Precondition failed: UID in precondition: \(uid), UID in object meta: ")
        }
        body["metadata", "resourceVersion"] = nil
        let parent = path.path.split(separator: "/").dropLast().joined(separator: "/")
        return try await create(kind, RequestPath("/" + parent, path.query), body, caller)
    }

    /// Creates an object.
    func create(
        _ kind: ResourceKind, _ path: RequestPath, _ body: HarnessJSON, _ caller: Caller
    ) async throws -> Reply {
        if kind == .accessReviews { return try reviewAccess(body, caller) }
        if kind == .serviceAccounts, path.subresource == "token" { return try grantToken(path, body) }
        guard path.name.isEmpty, kind.isNamespaced != path.namespace.isEmpty else {
            throw StatusFailure.methodNotAllowed()
        }
        var object = try named(kind, path, body)
        if object["metadata", "name"]?.string ?? "" == "", let stem = object["metadata", "generateName"]?.string {
            object["metadata", "name"] = .string(stem + Self.randomSuffix())
        }
        if let version = object["metadata", "resourceVersion"]?.string, !version.isEmpty {
            throw StatusFailure(
                code: 500, reason: "", message: "resourceVersion should not be set on objects to be created")
        }
        stamp(kind, &object)
        if kind.isNamespaced {
            guard store.object(.namespaces, ObjectKey(namespace: "", name: path.namespace)) != nil else {
                throw StatusFailure.notFound(.namespaces, path.namespace)
            }
        }
        let key = ObjectKey(namespace: path.namespace, name: object["metadata", "name"]?.string ?? "")
        prepare(kind, &object, caller)
        try NodeRestriction.check(caller, kind, nil, key, new: object, old: nil)
        var errors = Validation.errors(kind, object, isNew: true)
        if kind == .signingRequests { errors += SigningRequestRules.errors(object, version: options.version) }
        guard errors.isEmpty else { throw StatusFailure.invalid(kind, key.name, errors) }
        let warnings = try await webhooks.check(
            AdmissionWebhooks.Operation(
                name: "CREATE", kind: kind, subresource: nil, key: key, new: object, old: nil,
                isDryRun: path.isDryRun, caller: caller))
        if path.isDryRun {
            guard store.object(kind, key) == nil else { throw StatusFailure.alreadyExists(kind, key.name) }
            return .object(code: 201, ByteBuffer(bytes: object.bytes), warnings: warnings)
        }
        let stored: StoredObject
        switch store.create(kind, key, object) {
        case .done(let new): stored = new
        case .tooLarge: throw StatusFailure.tooLarge
        case .exists, .changed: throw StatusFailure.alreadyExists(kind, key.name)
        }
        return .object(code: 201, stored.text, warnings: warnings)
    }

    /// The letters of generated names, which spell no words.
    private static func randomSuffix() -> String {
        String((0..<5).compactMap { _ in "bcdfghjklmnpqrstvwxz2456789".randomElement() })
    }

    /// An object whose kind, version and namespace are those of the path.
    private func named(_ kind: ResourceKind, _ path: RequestPath, _ body: HarnessJSON) throws -> HarnessJSON {
        let version = body["apiVersion"]?.string ?? kind.apiVersion, name = body["kind"]?.string ?? kind.kind
        guard name == kind.kind else {
            throw StatusFailure.badRequest(
                "\(name) in version \"\(version)\" cannot be handled as a \(kind.kind): converting (\(version).\(name)) to "
                    + "(\(kind.apiVersion).\(kind.kind)): unknown conversion")
        }
        guard version == kind.apiVersion else {
            throw StatusFailure.badRequest(
                "the API version in the data (\(version)) does not match the expected API version (\(kind.apiVersion))")
        }
        var object = kind.named(body)
        let namespace = object["metadata", "namespace"]?.string ?? ""
        guard namespace.isEmpty || namespace == path.namespace else {
            throw StatusFailure.badRequest(
                "the namespace of the provided object does not match the namespace sent on the request")
        }
        object["metadata", "namespace"] = path.namespace.isEmpty ? nil : .string(path.namespace)
        return object
    }

    /// What the server adds to a new object, or takes from it.
    private func prepare(_ kind: ResourceKind, _ object: inout HarnessJSON, _ caller: Caller) {
        switch kind {
        case .nodes:
            // Admission plugin TaintNodesByCondition: a new node is not ready.
            let taints = object["spec"]?["taints"]?.elements ?? []
            let key: HarnessJSON = "node.kubernetes.io/not-ready"
            if !taints.contains(where: { $0["key"] == key && $0["effect"] == "NoSchedule" }) {
                object["spec", "taints"] = .array(taints + [["key": key, "effect": "NoSchedule"]])
            }
        case .signingRequests: SigningRequestRules.prepare(&object, caller: caller, version: options.version)
        case .namespaces:
            object["status"] = ["phase": "Active"]
            object["spec"] = ["finalizers": ["kubernetes"]]
            if options.version == .current, let name = object["metadata", "name"] {
                var labels = object["metadata", "labels"] ?? [:]
                labels["kubernetes.io/metadata.name"] = name
                object["metadata", "labels"] = labels
            }
        default: break
        }
    }

    /// Changes an object: by another that is given, or by what a patch makes of the present one.
    func update(
        _ kind: ResourceKind, _ path: RequestPath, _ caller: Caller,
        _ change: @Sendable (HarnessJSON) -> HarnessJSON
    ) async throws -> Reply {
        guard !path.name.isEmpty, kind.isNamespaced != path.namespace.isEmpty else {
            throw StatusFailure.methodNotAllowed()
        }
        while true {
            guard let present = store.object(kind, path.key) else { throw StatusFailure.notFound(kind, path.name) }
            let old = kind.named(present.value)
            let asked = change(old)
            var new = try named(kind, path, asked)
            let wanted = asked["metadata", "resourceVersion"]?.string ?? ""
            try checkIdentity(kind, path, new, old)
            if wanted.isEmpty, [.leases, .webhooks].contains(kind) {
                throw StatusFailure.invalid(
                    kind, path.name,
                    [.invalid("metadata.resourceVersion", "0x0", "must be specified for an update")])
            }
            if !wanted.isEmpty, wanted != String(present.version) { throw StatusFailure.conflict(kind, path.name) }
            // As the real server does it: before what this path does not write is put back.
            try NodeRestriction.check(caller, kind, path.subresource, path.key, new: new, old: old)
            keepServerFields(kind, &new, old, path.subresource)
            var errors = Validation.errors(kind, new, isNew: false)
            if kind == .signingRequests {
                errors += SigningRequestRules.updateErrors(new, old: old, subresource: path.subresource)
            }
            guard errors.isEmpty else { throw StatusFailure.invalid(kind, path.name, errors) }
            if kind == .signingRequests { try checkSigner(path, caller, new, old) }
            let warnings = try await webhooks.check(
                AdmissionWebhooks.Operation(
                    name: "UPDATE", kind: kind, subresource: path.subresource, key: path.key, new: new, old: old,
                    isDryRun: path.isDryRun, caller: caller))
            // What changes nothing is no change: no new version, no event.
            if new == old || path.isDryRun {
                return .object(code: 200, ByteBuffer(bytes: new.bytes), warnings: warnings)
            }
            switch store.update(kind, path.key, seen: present.version, new) {
            case .done(let stored):
                if kind == .signingRequests, path.subresource == "approval" { sign(stored) }
                return .object(code: 200, stored.text, warnings: warnings)
            case .tooLarge: throw StatusFailure.tooLarge
            case .changed, .exists:
                // Whoever named a version, or wrote what it had read, is told at the next look; everybody else gets another try.
                continue
            }
        }
    }

    private func checkIdentity(
        _ kind: ResourceKind, _ path: RequestPath, _ new: HarnessJSON, _ old: HarnessJSON
    ) throws {
        let name = new["metadata", "name"]?.string ?? ""
        guard name == path.name else {
            throw StatusFailure.badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(path.name))")
        }
        if let uid = new["metadata", "uid"]?.string, !uid.isEmpty, uid != old["metadata", "uid"]?.string {
            throw StatusFailure.conflict(
                kind, path.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(old["metadata", "uid"]?.string ?? "")"
            )
        }
    }

    /// Puts back what a caller cannot change by this path.
    private func keepServerFields(
        _ kind: ResourceKind, _ new: inout HarnessJSON, _ old: HarnessJSON, _ subresource: String?
    ) {
        for field in ["uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp"] {
            new["metadata", field] = old["metadata", field]
        }
        new["metadata", "managedFields"] = nil
        new["metadata", "selfLink"] = nil
        switch (kind, subresource) {
        case (.signingRequests, _):
            SigningRequestRules.restrict(&new, old: old, subresource: subresource, now: time)
        case (.nodes, nil), (.namespaces, nil): new["status"] = old["status"]
        case (.nodes, _), (.namespaces, _): new["spec"] = old["spec"]
        default: break
        }
        if kind.countsGenerations, new["webhooks"] != old["webhooks"] {
            new["metadata", "generation"] = .integer((old["metadata", "generation"]?.integer ?? 0) + 1)
        }
    }

    /// Approving needs the right to approve for the signer, and signing needs the right to sign for it.
    private func checkSigner(_ path: RequestPath, _ caller: Caller, _ new: HarnessJSON, _ old: HarnessJSON) throws {
        let verb: String
        switch path.subresource {
        case "approval": verb = "approve"
        case "status":
            guard new["status"] != old["status"] else { return }
            verb = "sign"
        default: return
        }
        let signer = old["spec"]?["signerName"]?.string ?? ""
        let domain = signer.split(separator: "/").first.map(String.init) ?? ""
        let isAllowed = [signer, domain + "/*"].contains { name in
            authorization.allows(
                caller,
                RequestedAction(
                    verb: verb, group: "certificates.k8s.io", resource: "signers", namespace: "", name: name))
        }
        guard isAllowed else {
            throw StatusFailure.forbidden(
                .signingRequests, path.name,
                "user not permitted to \(verb) requests with signerName \"\(signer)\"")
        }
    }

    /// Removes an object; a namespace goes with all that is in it.
    func delete(
        _ kind: ResourceKind, _ path: RequestPath, _ body: HarnessJSON?, _ caller: Caller
    ) async throws -> Reply {
        guard kind.isNamespaced != path.namespace.isEmpty else { throw StatusFailure.methodNotAllowed() }
        while true {
            guard let present = store.object(kind, path.key) else { throw StatusFailure.notFound(kind, path.name) }
            let old = kind.named(present.value), uid = old["metadata", "uid"]?.string ?? ""
            if let wanted = body?["preconditions"]?["uid"]?.string, wanted != uid {
                throw StatusFailure.conflict(
                    kind, path.name,
                    "Precondition failed: UID in precondition: \(wanted), UID in object meta: \(uid)")
            }
            if let wanted = body?["preconditions"]?["resourceVersion"]?.string, wanted != String(present.version) {
                throw StatusFailure.conflict(
                    kind, path.name,
                    "Precondition failed: ResourceVersion in precondition: \(wanted), ResourceVersion in object meta: \(present.version)"
                )
            }
            try NodeRestriction.check(caller, kind, nil, path.key, new: nil, old: old)
            let warnings = try await webhooks.check(
                AdmissionWebhooks.Operation(
                    name: "DELETE", kind: kind, subresource: nil, key: path.key, new: nil, old: old,
                    isDryRun: path.isDryRun, caller: caller))
            if !path.isDryRun {
                guard case .done(_) = store.delete(kind, path.key, seen: present.version) else { continue }
                if kind == .namespaces { empty(path.name) }
            }
            var details: HarnessJSON = [
                "name": .string(path.name), "kind": .string(kind.plural), "uid": .string(uid),
            ]
            if !kind.group.isEmpty { details["group"] = .string(kind.group) }
            let status: HarnessJSON = [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details,
            ]
            return .object(code: 200, ByteBuffer(bytes: status.bytes), warnings: warnings)
        }
    }

    private func empty(_ namespace: String) {
        for kind in ResourceKind.all where kind.isNamespaced {
            for object in store.objects(kind).objects where object.namespace == namespace {
                _ = store.delete(kind, object.key, seen: object.version)
            }
        }
    }
}
