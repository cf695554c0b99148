import Foundation

/// What an API server does with objects of kind CertificateSigningRequest (`certificates.k8s.io/v1`).
enum SigningRequestRules {
    /// The API's conditions that decide, and that nobody can take back.
    private static let decisions = ["Approved", "Denied", "Failed"]

    /// Makes a new object what the server stores: who asks is the caller, and nothing is decided.
    static func prepare(
        _ object: inout HarnessJSON, caller: Caller, version: ClusterVersion
    ) {
        object["spec", "username"] = .string(caller.name)
        object["spec", "groups"] = .array(caller.groups.map { .string($0) })
        object["spec", "uid"] = caller.uid.isEmpty ? nil : .string(caller.uid)
        object["spec", "extra"] = nil
        if version == .debian12 { object["spec", "expirationSeconds"] = nil }
        object["status"] = [:]
    }

    /// What is wrong with a new object.
    static func errors(_ object: HarnessJSON, version: ClusterVersion) -> [FieldError] {
        var errors: [FieldError] = []
        let spec = object["spec"] ?? [:]
        do {
            let request = Data(base64Encoded: spec["request"]?.string ?? "") ?? Data()
            _ = try CertificationRequest(pem: Array(request))
        } catch {
            errors.append(.invalid("spec.request", "<request>", "\(error)"))
        }
        let usages = spec["usages"]?.strings ?? []
        if usages.isEmpty { errors.append(.required("spec.usages", "usages must be provided")) }
        for (index, usage) in usages.enumerated() {
            if !knownUsages.contains(usage) {
                errors.append(.unsupported("spec.usages[\(index)]", usage, knownUsages))
            }
            if usages[..<index].contains(usage) { errors.append(.duplicate("spec.usages[\(index)]", usage)) }
        }
        let signer = spec["signerName"]?.string ?? ""
        let parts = signer.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if signer.isEmpty {
            errors.append(.required("spec.signerName", "signerName must be provided"))
        } else if parts.count != 2 || !Validation.isSubdomain(parts[0]) || !parts[0].contains(".")
            || !Validation.isSubdomain(parts[1])
        {
            errors.append(
                .invalid(
                    "spec.signerName", signer,
                    "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
        } else if signer == "kubernetes.io/legacy-unknown" {
            errors.append(
                .invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version"))
        }
        if let seconds = spec["expirationSeconds"]?.integer, seconds < 600 {
            errors.append(
                .invalid("spec.expirationSeconds", String(seconds), "may not specify a duration less than 600 seconds"))
        }
        return errors
    }

    private static let knownUsages = [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
        "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
        "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ]

    /// Limits an update to what its path may change.
    static func restrict(_ new: inout HarnessJSON, old: HarnessJSON, subresource: String?, now: String) {
        new["spec"] = old["spec"]
        switch subresource {
        case "approval":
            var status = old["status"] ?? [:]
            status["conditions"] = stamped(new, old, now)
            new["status"] = status
        case "status":
            let conditions = stamped(new, old, now)
            new["status", "conditions"] = conditions
        default: new["status"] = old["status"]
        }
    }

    private static func conditions(_ object: HarnessJSON) -> [HarnessJSON] {
        object["status"]?["conditions"]?.elements ?? []
    }

    /// The conditions with the times that were left out.
    private static func stamped(_ new: HarnessJSON, _ old: HarnessJSON, _ now: String) -> HarnessJSON? {
        let stamped = conditions(new).map { condition -> HarnessJSON in
            var condition = condition
            if condition["lastUpdateTime"]?.string == nil { condition["lastUpdateTime"] = .string(now) }
            if condition["lastTransitionTime"]?.string == nil {
                let before = conditions(old).first {
                    $0["type"] == condition["type"] && $0["status"] == condition["status"]
                }
                condition["lastTransitionTime"] = before?["lastTransitionTime"] ?? .string(now)
            }
            return condition
        }
        return stamped.isEmpty ? nil : .array(stamped)
    }

    /// What is wrong with an update.
    static func updateErrors(_ new: HarnessJSON, old: HarnessJSON, subresource: String?) -> [FieldError] {
        var errors: [FieldError] = [], types: [String] = []
        for (index, condition) in conditions(new).enumerated() {
            let field = "status.conditions[\(index)]", type = condition["type"]?.string ?? ""
            let allowed = decisions.contains(type) ? ["True"] : ["False", "True", "Unknown"]
            if type.isEmpty { errors.append(.required(field + ".type")) }
            let status = condition["status"]?.string ?? ""
            if status.isEmpty {
                errors.append(.required(field + ".status"))
            } else if !allowed.contains(status) {
                errors.append(.unsupported(field + ".status", status, allowed))
            }
            if (type == "Approved" && types.contains("Denied")) || (type == "Denied" && types.contains("Approved")) {
                errors.append(
                    .invalid(field + ".type", type, "Approved and Denied conditions are mutually exclusive"))
            }
            if types.contains(type) { errors.append(.duplicate(field + ".type", type)) }
            types.append(type)
        }
        for type in decisions {
            let before = conditions(old).filter { $0["type"]?.string == type }
            let after = conditions(new).filter { $0["type"]?.string == type }
            if after.count < before.count {
                errors.append(
                    .forbidden("status.conditions", "updates may not remove a condition of type \"\(type)\""))
            } else if subresource != "approval", type != "Failed", after.count > before.count {
                errors.append(.forbidden("status.conditions", "updates may not add a condition of type \"\(type)\""))
            } else if subresource != "approval", type != "Failed", after != before {
                errors.append(
                    .forbidden("status.conditions", "updates may not modify a condition of type \"\(type)\""))
            }
        }
        let certificate = old["status"]?["certificate"]
        if new["status"]?["certificate"] != certificate {
            if subresource != "status" {
                errors.append(.forbidden("status.certificate", "updates may not set certificate content"))
            } else if certificate != nil {
                errors.append(
                    .forbidden("status.certificate", "updates may not modify existing certificate content"))
            }
        }
        return errors
    }
}
