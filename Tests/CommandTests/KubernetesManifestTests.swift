import Fixtures
import Foundation
import Testing
import Yams

/// The manifests for replicas: what must hold whatever an installation changes.
@Suite("Kubernetes manifests", .timeLimit(.minutes(2))) struct KubernetesManifestTests {
    /// A service that has manifests.
    enum Service: String, CaseIterable, Sendable {
        case verifier, broker

        var folder: String { "Docs/Deploy/Kubernetes/" + rawValue }
        var program: String { "carnet-" + rawValue }
        var settings: String { "\(folder)/\(rawValue).yaml" }
        /// The name of a setting in the environment.
        func variable(_ name: String) -> String { "CARNET_\(rawValue.uppercased())_\(name)" }
    }

    /// Every object of the base, by its kind.
    private func objects(_ service: Service) throws -> [String: Node] {
        let base = try #require(try Yams.compose(yaml: Repository.text(service.folder + "/kustomization.yaml")))
        var objects: [String: Node] = [:]
        for file in base["resources"]?.sequence ?? [] {
            let name = try #require(file.string)
            let node = try #require(try Yams.compose(yaml: Repository.text("\(service.folder)/\(name)")))
            let kind = try #require(node["kind"]?.string)
            #expect(objects.updateValue(node, forKey: kind) == nil && node["apiVersion"]?.string != nil)
        }
        return objects
    }

    @Test(
        "Three replicas, spread, restricted, with probes, bounds and nothing that can be written but one folder",
        arguments: Service.allCases)
    func deployment(service: Service) throws {
        let deployment = try #require(try objects(service)["Deployment"]?["spec"])
        #expect(deployment["replicas"]?.int == 3)
        #expect(deployment["strategy"]?["rollingUpdate"]?["maxUnavailable"]?.int == 0)
        let pod = try #require(deployment["template"]?["spec"])
        #expect(pod["enableServiceLinks"]?.bool == false && pod["automountServiceAccountToken"]?.bool == false)
        #expect(pod["securityContext"]?["runAsNonRoot"]?.bool == true)
        #expect(pod["securityContext"]?["seccompProfile"]?["type"]?.string == "RuntimeDefault")
        let keys = pod["topologySpreadConstraints"]?.sequence?.compactMap { $0["topologyKey"]?.string } ?? []
        #expect(keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"])
        for container in pod["containers"]?.sequence ?? [] {
            let image = try #require(container["image"]?.string), tag = image.split(separator: ":").last
            #expect(image.contains(":") && tag != "latest" && tag?.isEmpty == false, "\(image)")
            let context = try #require(container["securityContext"])
            #expect(context["readOnlyRootFilesystem"]?.bool == true)
            #expect(context["allowPrivilegeEscalation"]?.bool == false)
            #expect(context["capabilities"]?["drop"]?.sequence?.compactMap(\.string) == ["ALL"])
            #expect(container["resources"]?["limits"]?["memory"] != nil)
            #expect(container["resources"]?["requests"]?["cpu"] != nil)
            for (probe, path) in [
                ("livenessProbe", "/livez"), ("readinessProbe", "/readyz"), ("startupProbe", "/livez"),
            ] {
                #expect(container[probe]?["httpGet"]?["path"]?.string == path)
                #expect(container[probe]?["httpGet"]?["scheme"]?.string == "HTTPS")
            }
            let writable = container["volumeMounts"]?.sequence?.filter { $0["readOnly"]?.bool != true } ?? []
            #expect(writable.compactMap { $0["mountPath"]?.string } == ["/var/lib/carnet"])
            // Secrets come from secrets: nothing here is a value.
            for variable in container["env"]?.sequence ?? [] { #expect(variable["value"] == nil, "\(variable)") }
        }
        #expect(pod["containers"]?.sequence?.count == 1)
    }

    @Test("One of three may be away, and the pods have as long to end as they take", arguments: Service.allCases)
    func availability(service: Service) throws {
        let objects = try objects(service)
        #expect(objects["PodDisruptionBudget"]?["spec"]?["minAvailable"]?.int == 2)
        let settings = try #require(try Yams.compose(yaml: Repository.text(service.settings)))
        let drain = try #require(settings["drain-seconds"]?.int)
        let grace = try #require(
            objects["Deployment"]?["spec"]?["template"]?["spec"]?["terminationGracePeriodSeconds"]?.int)
        #expect(grace >= drain + 25)
    }

    @Test(
        "The pods' configuration can be used, with the variables that the deployment sets", arguments: Service.allCases)
    func configuration(service: Service) async throws {
        let folder = try TemporaryDirectory()
        let text = try Repository.text(service.settings)
        guard let staged = try ConfigurationStage.text(text, in: folder) else { return }
        let file = try folder.write(Array(staged.utf8), service.rawValue + ".yaml")
        let environment = [
            service.variable("DATABASE"): "sqlite:\(folder.path)/state/carnet.sqlite",
            "CARNET_KEK": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            service.variable("LEDGER_CHAIN"): service.program + "-6d4cf56db6-x2k9p",
        ]
        let names = try objects(service)["Deployment"]?["spec"]?["template"]?["spec"]?["containers"]?[0]?["env"]?
            .sequence?
            .compactMap { $0["name"]?.string }
        #expect(Set(environment.keys).isSubset(of: names ?? []))
        let ending = try await Program(service.program).run(
            ["--config", file, "--check-config"], environment: environment)
        #expect(ending.status == 0, "\(ending)")
        // What the guide runs in a pod: data and database come from where the pod has them.
        let made = try await Program(service.program).run(["bootstrap", "--config", file], environment: environment)
        #expect(made.status == 0 && !made.output.isEmpty, "\(made)")
        let keyless = environment.merging(["CARNET_KEK": ""]) { $1 }
        let lost = try await Program(service.program).run(
            ["--config", file, "--check-config"], environment: keyless)
        #expect(lost.status == 1 && lost.errors.contains("CARNET_KEK"), "\(lost)")
    }

    @Test("The ports of service, policy and monitoring are the container's", arguments: Service.allCases)
    func ports(service: Service) throws {
        let objects = try objects(service)
        let ports = objects["Deployment"]?["spec"]?["template"]?["spec"]?["containers"]?[0]?["ports"]?.sequence?
            .compactMap { $0["name"]?.string }
        #expect(ports == ["https", "metrics"])
        #expect(objects["Service"]?["spec"]?["ports"]?[0]?["targetPort"]?.string == "https")
        let ingress = objects["NetworkPolicy"]?["spec"]?["ingress"]?.sequence ?? []
        #expect(ingress.compactMap { $0["ports"]?[0]?["port"]?.string } == ["https", "metrics"])
        let egress = objects["NetworkPolicy"]?["spec"]?["egress"]?.sequence ?? []
        // The database; receivers of webhooks, or the verifier; names.
        #expect(egress.compactMap { $0["ports"]?[0]?["port"]?.int } == [5432, 443, 53])
        // What anybody may read who reaches it is reached from one namespace only.
        #expect(ingress.last?["from"] != nil && objects["NetworkPolicy"]?["spec"]?["policyTypes"]?.sequence?.count == 2)
    }

    @Test("kubectl builds the base", arguments: Service.allCases)
    func kustomize(service: Service) throws {
        guard let kubectl = Witness.ifInstalled("kubectl") else { return }
        for folder in [service.folder, service.folder + "/monitoring"] {
            let testimony = try kubectl.run(["kustomize", Repository.path(folder)])
            #expect(testimony.status == 0, "\(testimony.errors)")
            let kinds = try Array(Yams.compose_all(yaml: testimony.text)).compactMap { $0["kind"]?.string }
            #expect(kinds.contains(folder == service.folder ? "Deployment" : "PodMonitor"))
        }
    }
}
