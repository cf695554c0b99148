/// A refusal as an API server writes it: an object of kind `Status`.
struct StatusFailure: Error {
    let code: Int
    let reason: String
    let message: String
    var details: HarnessJSON?
    /// Seconds for the header `Retry-After`.
    var retryAfter: Int?

    /// The object.
    var object: HarnessJSON {
        var object: HarnessJSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "code": .integer(Int64(code)),
        ]
        if !reason.isEmpty { object["reason"] = .string(reason) }
        if let details { object["details"] = details }
        return object
    }

    private static func details(_ kind: ResourceKind, _ name: String) -> HarnessJSON {
        var details: HarnessJSON = ["kind": .string(kind.plural)]
        if !name.isEmpty { details["name"] = .string(name) }
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        return details
    }

    static func notFound(_ kind: ResourceKind, _ name: String) -> Self {
        Self(
            code: 404, reason: "NotFound", message: "\(kind.qualified) \"\(name)\" not found",
            details: details(kind, name))
    }

    /// For a path that is nothing at all.
    static let noSuchPath = Self(
        code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: [:])

    static func alreadyExists(_ kind: ResourceKind, _ name: String) -> Self {
        Self(
            code: 409, reason: "AlreadyExists", message: "\(kind.qualified) \"\(name)\" already exists",
            details: details(kind, name))
    }

    static func conflict(_ kind: ResourceKind, _ name: String, _ why: String = modified) -> Self {
        Self(
            code: 409, reason: "Conflict",
            message: "Operation cannot be fulfilled on \(kind.qualified) \"\(name)\": \(why)",
            details: details(kind, name))
    }

    private static let modified =
        "the object has been modified; please apply your changes to the latest version and try again"

    static func forbidden(_ kind: ResourceKind, _ name: String, _ why: String) -> Self {
        let object = name.isEmpty ? kind.qualified : "\(kind.qualified) \"\(name)\""
        return Self(
            code: 403, reason: "Forbidden", message: "\(object) is forbidden: \(why)", details: details(kind, name))
    }

    static func forbidden(path: String, _ why: String) -> Self {
        Self(code: 403, reason: "Forbidden", message: "forbidden: \(why)", details: [:])
    }

    /// For an object that etcd does not store. The API server passes on what etcd says.
    static let tooLarge = Self(code: 500, reason: "", message: "etcdserver: request is too large")

    static let unauthorized = Self(code: 401, reason: "Unauthorized", message: "Unauthorized")

    static func badRequest(_ message: String) -> Self { Self(code: 400, reason: "BadRequest", message: message) }

    static func invalid(_ kind: ResourceKind, _ name: String, _ errors: [FieldError]) -> Self {
        let texts = errors.map { "\($0.field): \($0.body)" }
        let text = texts.count == 1 ? texts[0] : "[" + texts.joined(separator: ", ") + "]"
        var details: HarnessJSON = [
            "kind": .string(kind.kind), "name": .string(name),
            "causes": .array(
                errors.map {
                    ["reason": .string($0.type), "message": .string($0.body), "field": .string($0.field)]
                }),
        ]
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        return Self(
            code: 422, reason: "Invalid", message: "\(kind.qualifiedKind) \"\(name)\" is invalid: \(text)",
            details: details)
    }

    /// A place in a watch or a list that is no longer remembered.
    static func expired(_ message: String) -> Self { Self(code: 410, reason: "Expired", message: message) }

    static func internalError(_ message: String) -> Self {
        Self(
            code: 500, reason: "InternalError", message: "Internal error occurred: " + message,
            details: ["causes": [["message": .string(message)]]])
    }

    static func methodNotAllowed() -> Self {
        Self(
            code: 405, reason: "MethodNotAllowed",
            message: "the server does not allow this method on the requested resource", details: [:])
    }

    static let unsupportedPatch = Self(
        code: 415, reason: "UnsupportedMediaType",
        message: "the body of the request was in an unknown format - accepted media types include: "
            + "application/merge-patch+json", details: [:])

    /// A version that the server has not reached.
    static func tooLargeVersion(_ asked: Int, current: Int) -> Self {
        let message = "Too large resource version: \(asked), current: \(current)"
        return Self(
            code: 504, reason: "Timeout", message: "Timeout: " + message,
            details: [
                "causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]],
                "retryAfterSeconds": 1,
            ], retryAfter: 1)
    }
}

/// What is wrong with one field of an object.
struct FieldError: Sendable {
    let type: String
    let field: String
    let body: String

    static func required(_ field: String, _ detail: String = "") -> Self {
        Self(
            type: "FieldValueRequired", field: field,
            body: "Required value" + (detail.isEmpty ? "" : ": " + detail))
    }

    static func invalid(_ field: String, _ value: String, _ detail: String) -> Self {
        Self(type: "FieldValueInvalid", field: field, body: "Invalid value: \"\(value)\": \(detail)")
    }

    static func forbidden(_ field: String, _ detail: String) -> Self {
        Self(type: "FieldValueForbidden", field: field, body: "Forbidden: " + detail)
    }

    static func duplicate(_ field: String, _ value: String) -> Self {
        Self(type: "FieldValueDuplicate", field: field, body: "Duplicate value: \"\(value)\"")
    }

    static func unsupported(_ field: String, _ value: String, _ allowed: [String]) -> Self {
        let list = allowed.map { "\"\($0)\"" }.joined(separator: ", ")
        return Self(
            type: "FieldValueNotSupported", field: field,
            body: "Unsupported value: \"\(value)\": supported values: \(list)")
    }
}
