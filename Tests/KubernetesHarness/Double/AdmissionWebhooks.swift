import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Calls the validating webhooks that are configured in a store (`AdmissionReview` of `admission.k8s.io/v1`).
final class AdmissionWebhooks: Sendable {
    /// What is about to happen.
    struct Operation: Sendable {
        /// `CREATE`, `UPDATE` or `DELETE`.
        let name: String
        let kind: ResourceKind
        let subresource: String?
        let key: ObjectKey
        /// `nil` for a deletion.
        let new: HarnessJSON?
        /// `nil` for a creation.
        let old: HarnessJSON?
        let isDryRun: Bool
        let caller: Caller
    }

    private let store: ClusterStore
    /// A client for each authority that a configuration names.
    private let clients = Mutex<[String: HTTPClient]>([:])

    init(_ store: ClusterStore) { self.store = store }

    /// Ends the clients' connections.
    func shutdown() async {
        let ended = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in ended { try? await client.shutdown() }
    }

    /// Asks all webhooks that an operation concerns, at once.
    ///
    /// - Returns: Their warnings.
    /// - Throws: ``StatusFailure`` when one denies, or cannot be asked and has to be.
    func check(_ operation: Operation) async throws -> [String] {
        let hooks = store.objects(.webhooks).objects.flatMap { $0.value["webhooks"]?.elements ?? [] }
            .filter { concerns($0, operation) }
        guard !hooks.isEmpty else { return [] }
        return try await withThrowingTaskGroup(of: [String].self) { tasks in
            for hook in hooks { tasks.addTask { try await self.ask(hook, operation) } }
            var warnings: [String] = []
            for try await some in tasks { warnings += some }
            return warnings
        }
    }

    private func concerns(_ hook: HarnessJSON, _ operation: Operation) -> Bool {
        // Configurations themselves are never held up by a webhook.
        guard operation.kind != .webhooks else { return false }
        let resource = operation.subresource.map { operation.kind.plural + "/" + $0 } ?? operation.kind.plural
        let matches = (hook["rules"]?.elements ?? []).contains { rule in
            func has(_ member: String, _ value: String) -> Bool {
                let values = rule[member]?.strings ?? []
                return values.contains("*") || values.contains(value)
            }
            let resources = rule["resources"]?.strings ?? []
            let isMeant = resources.contains { pattern in
                switch pattern {
                case "*/*": true
                case "*": operation.subresource == nil
                case resource: true
                default:
                    operation.subresource != nil
                        && (pattern == operation.kind.plural + "/*" || pattern == "*/" + (operation.subresource ?? ""))
                }
            }
            let scope = rule["scope"]?.string ?? "*"
            return isMeant && has("operations", operation.name) && has("apiGroups", operation.kind.group)
                && has("apiVersions", operation.kind.version)
                && (scope == "*" || (scope == "Namespaced") == operation.kind.isNamespaced)
        }
        guard matches else { return false }
        let selector = ObjectSelector(hook["objectSelector"])
        guard [operation.new, operation.old].compactMap(\.self).contains(where: selector.matches) else { return false }
        guard operation.kind.isNamespaced else { return true }
        let namespace = store.object(.namespaces, ObjectKey(namespace: "", name: operation.key.namespace))
        return ObjectSelector(hook["namespaceSelector"]).matches(namespace?.value ?? [:])
    }

    private func ask(_ hook: HarnessJSON, _ operation: Operation) async throws -> [String] {
        let name = hook["name"]?.string ?? ""
        let answer: HarnessJSON
        do {
            answer = try await call(hook, operation)
        } catch {
            if hook["failurePolicy"]?.string == "Ignore" { return [] }
            throw StatusFailure.internalError("failed calling webhook \"\(name)\": \(error)")
        }
        let warnings = answer["warnings"]?.strings ?? []
        if answer["allowed"]?.boolean == true { return warnings }
        let status = answer["status"]
        let told = status?["message"]?.string ?? status?["reason"]?.string ?? ""
        let code = Int(status?["code"]?.integer ?? 0)
        throw StatusFailure(
            code: code < 400 ? 400 : code, reason: status?["reason"]?.string ?? "",
            message: "admission webhook \"\(name)\" denied the request"
                + (told.isEmpty ? " without explanation" : ": " + told), details: status?["details"])
    }

    private struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    private func call(_ hook: HarnessJSON, _ operation: Operation) async throws -> HarnessJSON {
        guard let address = hook["clientConfig"]?["url"]?.string else {
            throw Unusable(description: "the double calls webhooks by their url, not by a service")
        }
        let uid = UUID().uuidString.lowercased(), seconds = hook["timeoutSeconds"]?.integer ?? 10
        var request = HTTPClientRequest(url: address + (address.contains("?") ? "&" : "?") + "timeout=\(seconds)s")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "Accept", value: "application/json, */*")
        request.body = .bytes(ByteBuffer(bytes: review(operation, uid).bytes))
        let client = try client(trusting: hook["clientConfig"]?["caBundle"]?.string ?? "")
        let response = try await client.execute(request, timeout: .seconds(seconds))
        let body = try await response.body.collect(upTo: 1 << 22)
        guard response.status.code == 200 else {
            throw Unusable(
                description:
                    "an error on the server has prevented the request from succeeding (\(response.status.code))")
        }
        let answer = try HarnessJSON(parsing: Array(body.readableBytesView))
        guard answer["kind"]?.string == "AdmissionReview", answer["apiVersion"]?.string == "admission.k8s.io/v1",
            let verdict = answer["response"], verdict["uid"]?.string == uid
        else {
            throw Unusable(
                description: "received invalid webhook response: expected response.uid=\"\(uid)\", got "
                    + "\(answer["kind"]?.string ?? "") \(answer["response"]?["uid"]?.string ?? "")")
        }
        return verdict
    }

    private func review(_ operation: Operation, _ uid: String) -> HarnessJSON {
        let kind = operation.kind
        let type: HarnessJSON = [
            "group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind),
        ]
        let resource: HarnessJSON = [
            "group": .string(kind.group), "version": .string(kind.version), "resource": .string(kind.plural),
        ]
        var request: HarnessJSON = [
            "uid": .string(uid), "kind": type, "requestKind": type, "resource": resource, "requestResource": resource,
            "operation": .string(operation.name), "userInfo": operation.caller.object,
            "object": operation.new ?? .null, "oldObject": operation.old ?? .null,
            "dryRun": .boolean(operation.isDryRun),
            "options": [
                "kind": .string(operation.name.prefix(1) + operation.name.dropFirst().lowercased() + "Options"),
                "apiVersion": "meta.k8s.io/v1",
            ],
        ]
        if !operation.key.name.isEmpty { request["name"] = .string(operation.key.name) }
        if !operation.key.namespace.isEmpty { request["namespace"] = .string(operation.key.namespace) }
        if let subresource = operation.subresource {
            request["subResource"] = .string(subresource)
            request["requestSubResource"] = .string(subresource)
        }
        return ["kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request]
    }

    private func client(trusting bundle: String) throws -> HTTPClient {
        try clients.withLock { clients in
            if let client = clients[bundle] { return client }
            var configuration = TLSConfiguration.makeClientConfiguration()
            if !bundle.isEmpty {
                let pem = Array(Data(base64Encoded: bundle) ?? Data())
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(pem))
            }
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: configuration))
            clients[bundle] = client
            return client
        }
    }
}
