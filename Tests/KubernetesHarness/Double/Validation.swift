import Foundation

/// What an API server requires of an object's fields; the parts of it that Carnet's programs could offend against.
enum Validation {
    /// What is wrong with an object that is about to be stored.
    static func errors(_ kind: ResourceKind, _ object: HarnessJSON, isNew: Bool) -> [FieldError] {
        metadata(kind, object)
            + {
                switch kind {
                case .nodes: node(object)
                case .events: event(object)
                case .leases: lease(object)
                case .webhooks: webhooks(object)
                default: []
                }
            }()
    }

    private static func metadata(_ kind: ResourceKind, _ object: HarnessJSON) -> [FieldError] {
        var errors: [FieldError] = []
        let name = object["metadata", "name"]?.string ?? ""
        if name.isEmpty {
            errors.append(.required("metadata.name", "name or generateName is required"))
        } else if kind.group == "rbac.authorization.k8s.io" {
            if name == "." || name == ".." || name.contains("/") || name.contains("%") {
                errors.append(.invalid("metadata.name", name, "may not contain '/' or '%', or be '.' or '..'"))
            }
        } else if kind == .namespaces, !isLabel(name) {
            errors.append(.invalid("metadata.name", name, labelRule))
        } else if kind != .signingRequests, !isSubdomain(name) {
            errors.append(.invalid("metadata.name", name, subdomainRule))
        }
        for (key, value) in (object["metadata", "labels"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            errors += qualifiedName("metadata.labels", key) + labelValue("metadata.labels", value.string)
        }
        var size = 0
        for (key, value) in (object["metadata", "annotations"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            errors += qualifiedName("metadata.annotations", key.lowercased())
            size += key.utf8.count + (value.string?.utf8.count ?? 0)
        }
        if size > 256 * 1024 {
            errors.append(
                FieldError(
                    type: "FieldValueTooLong", field: "metadata.annotations",
                    body: "Too long: must have at most \(256 * 1024) bytes"))
        }
        return errors
    }

    private static func node(_ object: HarnessJSON) -> [FieldError] {
        var errors: [FieldError] = [], seen: Set<[String]> = []
        for (index, taint) in (object["spec"]?["taints"]?.elements ?? []).enumerated() {
            let field = "metadata.taints[\(index)]", key = taint["key"]?.string ?? ""
            errors += qualifiedName(field + ".key", key)
            errors += labelValue(field + ".value", taint["value"]?.string ?? "")
            let effect = taint["effect"]?.string ?? "", effects = ["NoExecute", "NoSchedule", "PreferNoSchedule"]
            if effect.isEmpty {
                errors.append(.required(field + ".effect"))
            } else if !effects.contains(effect) {
                errors.append(.unsupported(field + ".effect", effect, effects))
            }
            if !seen.insert([key, effect]).inserted { errors.append(.duplicate(field, taint.text)) }
        }
        return errors
    }

    private static func event(_ object: HarnessJSON) -> [FieldError] {
        let place = object["metadata", "namespace"]?.string ?? ""
        let about = object["involvedObject"]?["namespace"]?.string ?? ""
        // An event about what is in no namespace lies in `default`.
        guard about.isEmpty ? place == "default" : place == about else {
            return [.invalid("involvedObject.namespace", about, "does not match event.namespace")]
        }
        return []
    }

    private static func lease(_ object: HarnessJSON) -> [FieldError] {
        var errors: [FieldError] = []
        if let seconds = object["spec"]?["leaseDurationSeconds"]?.integer, seconds <= 0 {
            errors.append(.invalid("spec.leaseDurationSeconds", String(seconds), "must be greater than 0"))
        }
        if let count = object["spec"]?["leaseTransitions"]?.integer, count < 0 {
            errors.append(
                .invalid("spec.leaseTransitions", String(count), "must be greater than or equal to 0"))
        }
        return errors
    }

    private static func webhooks(_ object: HarnessJSON) -> [FieldError] {
        (object["webhooks"]?.elements ?? []).enumerated().flatMap { index, hook -> [FieldError] in
            var errors: [FieldError] = []
            let field = "webhooks[\(index)]", name = hook["name"]?.string ?? ""
            if !isSubdomain(name) || name.split(separator: ".").count < 3 {
                errors.append(
                    .invalid(field + ".name", name, "should be a domain with at least three segments separated by dots")
                )
            }
            if !["None", "NoneOnDryRun"].contains(hook["sideEffects"]?.string) {
                errors.append(
                    .unsupported(field + ".sideEffects", hook["sideEffects"]?.string ?? "", ["None", "NoneOnDryRun"]))
            }
            let versions = hook["admissionReviewVersions"]?.strings ?? []
            if versions.isEmpty {
                errors.append(
                    .required(
                        field + ".admissionReviewVersions", "must specify one of AdmissionReview versions v1, v1beta1"))
            }
            let address = hook["clientConfig"]?["url"]?.string
            if let address, !address.hasPrefix("https://") {
                errors.append(
                    .invalid(field + ".clientConfig.url", address, "'https' is the only allowed URL scheme"))
            }
            if (address == nil) == (hook["clientConfig"]?["service"] == nil) {
                errors.append(.required(field + ".clientConfig", "exactly one of url or service is required"))
            }
            if let seconds = hook["timeoutSeconds"]?.integer, !(1...30).contains(seconds) {
                errors.append(
                    .invalid(
                        field + ".timeoutSeconds", String(seconds), "the timeout value must be between 1 and 30 seconds"
                    ))
            }
            return errors
        }
    }

    // MARK: Names

    private static let subdomainRule =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
        + "with an alphanumeric character"
    private static let labelRule =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        + "alphanumeric character"

    /// RFC 1123 label: at most 63 of a-z, 0-9 and hyphens inside.
    static func isLabel(_ text: String) -> Bool { text.utf8.count <= 63 && isSubdomainPart(text) }

    /// RFC 1123 subdomain, as Kubernetes reads it: parts joined by dots, at most 253 characters in all.
    static func isSubdomain(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isSubdomainPart)
    }

    private static func isSubdomainPart(_ text: some StringProtocol) -> Bool {
        isWord(text, upTo: 253)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    private static func isWord(_ text: some StringProtocol, upTo limit: Int) -> Bool {
        let bytes = Array(text.utf8)
        func isAlphanumeric(_ byte: UInt8?) -> Bool {
            byte.map {
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
            } ?? false
        }
        return (1...limit).contains(bytes.count) && isAlphanumeric(bytes.first) && isAlphanumeric(bytes.last)
            && bytes.allSatisfy { isAlphanumeric($0) || [UInt8(ascii: "-"), 0x5F, 0x2E].contains($0) }
    }

    private static func qualifiedName(_ field: String, _ text: String) -> [FieldError] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isGood =
            parts.count == 1
            ? isWord(parts[0], upTo: 63)
            : parts.count == 2 && isSubdomain(String(parts[0])) && isWord(parts[1], upTo: 63)
        return isGood
            ? []
            : [
                .invalid(
                    field, text,
                    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
                        + "character")
            ]
    }

    private static func labelValue(_ field: String, _ text: String?) -> [FieldError] {
        guard let text, text.isEmpty || isWord(text, upTo: 63) else {
            return [
                .invalid(
                    field, text ?? "",
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
                        + "with an alphanumeric character")
            ]
        }
        return []
    }
}
