import Foundation

/// Which objects a list or a watch is about: `labelSelector` and `fieldSelector` of the query.
struct ObjectSelector: Sendable {
    private enum Rule: Sendable {
        case equals(String, String)
        case differs(String, String)
        case among(String, [String])
        case notAmong(String, [String])
        case exists(String)
        case isAbsent(String)
    }

    private var labels: [Rule] = []
    private var fields: [Rule] = []
    private var namespace: String?

    /// Whether every object of every namespace is meant.
    var matchesEverything: Bool { !hasRules && namespace == nil }
    /// Whether labels or fields select.
    var hasRules: Bool { !labels.isEmpty || !fields.isEmpty }

    /// Reads the two texts.
    ///
    /// - Throws: ``StatusFailure`` for what cannot be read, or a field that the kind does not select by.
    init(labels: String?, fields: String?, namespace: String?, kind: ResourceKind) throws {
        self.namespace = namespace
        self.labels = try Self.labelRules(labels ?? "")
        for part in (fields ?? "").split(separator: ",") {
            let isInequality = part.contains("!=")
            let sides = part.components(separatedBy: isInequality ? "!=" : part.contains("==") ? "==" : "=")
            guard sides.count == 2, Self.selectable(kind).contains(sides[0]) else {
                throw StatusFailure.badRequest(
                    "Unable to find \"\(kind.apiVersion), Resource=\(kind.plural)\" that match label selector \"\", "
                        + "field selector \"\(part)\": field label not supported: \(sides[0])")
            }
            self.fields.append(isInequality ? .differs(sides[0], sides[1]) : .equals(sides[0], sides[1]))
        }
    }

    /// A `LabelSelector` object: `matchLabels` and `matchExpressions`.
    init(_ object: HarnessJSON?) {
        for (key, value) in object?["matchLabels"]?.members ?? [:] { labels.append(.equals(key, value.string ?? "")) }
        for expression in object?["matchExpressions"]?.elements ?? [] {
            let key = expression["key"]?.string ?? "", values = expression["values"]?.strings ?? []
            switch expression["operator"]?.string {
            case "In": labels.append(.among(key, values))
            case "NotIn": labels.append(.notAmong(key, values))
            case "Exists": labels.append(.exists(key))
            default: labels.append(.isAbsent(key))
            }
        }
    }

    private static func selectable(_ kind: ResourceKind) -> Set<String> {
        let own: Set<String> =
            switch kind {
            case .nodes: ["spec.unschedulable"]
            case .signingRequests: ["spec.signerName"]
            case .events:
                [
                    "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                    "involvedObject.apiVersion", "involvedObject.resourceVersion", "reason", "type",
                ]
            case .namespaces: ["status.phase"]
            default: []
            }
        return own.union(kind.isNamespaced ? ["metadata.name", "metadata.namespace"] : ["metadata.name"])
    }

    private static func labelRules(_ text: String) throws -> [Rule] {
        var rules: [Rule] = [], rest = text[...]
        while !rest.isEmpty {
            // A comma within parentheses belongs to a set.
            var depth = 0, end = rest.startIndex
            while end < rest.endIndex, depth > 0 || rest[end] != "," {
                if rest[end] == "(" { depth += 1 }
                if rest[end] == ")" { depth -= 1 }
                end = rest.index(after: end)
            }
            let part = rest[..<end].trimmingCharacters(in: .whitespaces)
            rest = end == rest.endIndex ? "" : rest[rest.index(after: end)...]
            rules.append(try rule(part))
        }
        return rules
    }

    private static func rule(_ part: String) throws -> Rule {
        if part.hasSuffix(")"), let open = part.firstIndex(of: "(") {
            let words = part[..<open].split(separator: " ")
            let values = part[part.index(after: open)...].dropLast().split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            if words.count == 2, words[1] == "in" { return .among(String(words[0]), values) }
            if words.count == 2, words[1] == "notin" { return .notAmong(String(words[0]), values) }
        } else if part.contains("!=") {
            let sides = part.components(separatedBy: "!=")
            if sides.count == 2, !sides[0].isEmpty { return .differs(sides[0], sides[1]) }
        } else if part.contains("=") {
            let sides = part.components(separatedBy: part.contains("==") ? "==" : "=")
            if sides.count == 2, !sides[0].isEmpty { return .equals(sides[0], sides[1]) }
        } else if part.hasPrefix("!") {
            return .isAbsent(String(part.dropFirst()))
        } else if !part.isEmpty, !part.contains(" ") {
            return .exists(part)
        }
        throw StatusFailure.badRequest("unable to parse requirement: \(part)")
    }

    /// Whether an object is meant.
    func matches(_ object: HarnessJSON) -> Bool {
        if let namespace, object["metadata", "namespace"]?.string != namespace { return false }
        let labels = object["metadata", "labels"]
        return self.labels.allSatisfy { Self.holds($0) { labels?[$0]?.string } }
            && fields.allSatisfy { rule in
                Self.holds(rule) { path in
                    var value: HarnessJSON? = object
                    for step in path.split(separator: ".") { value = value?[String(step)] }
                    // A field that is not there has its type's zero.
                    return switch value {
                    case .boolean(let value)?: value ? "true" : "false"
                    case .string(let text)?: text
                    default: path == "spec.unschedulable" ? "false" : ""
                    }
                }
            }
    }

    private static func holds(_ rule: Rule, _ value: (String) -> String?) -> Bool {
        switch rule {
        case .equals(let key, let wanted): value(key) == wanted
        case .differs(let key, let unwanted): value(key) != unwanted
        case .among(let key, let wanted): value(key).map(wanted.contains) ?? false
        case .notAmong(let key, let unwanted): !(value(key).map(unwanted.contains) ?? false)
        case .exists(let key): value(key) != nil
        case .isAbsent(let key): value(key) == nil
        }
    }
}
