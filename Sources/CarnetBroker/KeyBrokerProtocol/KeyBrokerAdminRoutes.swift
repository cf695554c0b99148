import CarnetService
import HTTPTypes

/// The calls of the KBS protocol that this broker has not, answered in the protocol's words: its own administration is `/admin/v1`, and it
/// has no plugins.
enum KeyBrokerAdminRoutes {
    private static let administered: [(HTTPRequest.Method, String)] = [
        (.get, "/kbs/v0/resource"), (.post, "/kbs/v0/resource/{repository}/{type}/{tag}"),
        (.delete, "/kbs/v0/resource/{repository}/{type}/{tag}"), (.post, "/kbs/v0/attestation-policy"),
        (.get, "/kbs/v0/resource-policy"), (.post, "/kbs/v0/resource-policy"), (.post, "/kbs/v0/reference-value"),
        (.get, "/kbs/v0/reference-value/{id}"),
    ]
    private static let plugins: [(HTTPRequest.Method, String)] = [HTTPRequest.Method.get, .post].flatMap { method in
        ["/kbs/v0/external/{plugin}", "/kbs/v0/external/{plugin}/{path}"].map { (method, $0) }
    }

    static var routes: [Route] {
        administered.map { method, path in
            refuse(
                method, path,
                KeyBrokerError(.adminAuth, "Secrets and policies are administered under /admin/v1 (carnet secret)."))
        }
            + plugins.map { method, path in
                refuse(method, path, KeyBrokerError(.pluginNotFound, "There are no plugins here."))
            }
    }

    private static func refuse(_ method: HTTPRequest.Method, _ path: String, _ error: KeyBrokerError) -> Route {
        Route(method, path, access: .attester, accepts: [], upTo: 65_536) { _ in error.response }
            .inKeyBrokerWords(error.name)
    }
}
