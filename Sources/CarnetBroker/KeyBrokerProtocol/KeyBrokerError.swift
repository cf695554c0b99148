import CarnetService
import HTTPTypes
import StrictEncoding

/// An answer as the CoCo KBS protocol has it: `{"type","detail"}`, with 401 or 404. What the protocol has no status for keeps its own.
struct KeyBrokerError: Error, Sendable {
    let name: Name
    let detail: String
    let status: HTTPResponse.Status
    let headers: HTTPFields

    /// The protocol's words.
    enum Name: String, Sendable {
        case adminAuth = "AdminAuth"
        case attestationError = "AttestationError"
        case invalidRequestPath = "InvalidRequestPath"
        case jweError = "JweError"
        case pluginNotFound = "PluginNotFound"
        case pluginInternalError = "PluginInternalError"
        case policyDeny = "PolicyDeny"
        case serdeError = "SerdeError"
        case tokenNotFound = "TokenNotFound"
        case tokenVerifierError = "TokenVerifierError"
    }

    init(_ name: Name, _ detail: String, status: HTTPResponse.Status? = nil, headers: HTTPFields = [:]) {
        self.name = name
        self.detail = detail
        self.status =
            status ?? (name == .invalidRequestPath || name == .pluginNotFound ? .notFound : .unauthorized)
        self.headers = headers
    }

    /// What went wrong in the broker, or was refused by it, in the protocol's words.
    init(_ problem: Problem, _ name: Name) {
        let isOurs = problem.status.code >= 500 || problem.status.code == 429
        self.init(
            problem.status.code >= 500 ? .pluginInternalError : name, problem.detail,
            status: isOurs ? problem.status : nil, headers: problem.headers)
    }

    /// What was met before the protocol's own work began, in the protocol's words and with its own status.
    init(met problem: Problem, _ name: Name) {
        let word: Name =
            switch problem.status.code {
            case 500...: .pluginInternalError
            case 404, 405: .invalidRequestPath
            case 400, 413, 415: .serdeError
            default: name
            }
        self.init(word, problem.detail, status: problem.status, headers: problem.headers)
    }

    var response: ServiceResponse {
        ServiceResponse(
            status, "application/json",
            JSONWriter.object { writer in
                writer.string("type", "https://github.com/confidential-containers/kbs/errors/" + name.rawValue)
                writer.string("detail", detail)
            }, headers: headers)
    }
}

extension Route {
    /// The same, whose every problem is told as the KBS protocol does.
    ///
    /// - Parameter name: The protocol's word for what it has none for, such as too many calls.
    func inKeyBrokerWords(_ name: KeyBrokerError.Name) -> Route {
        worded(below: "/kbs/v0") { KeyBrokerError(met: $0, name).response }
    }
}
