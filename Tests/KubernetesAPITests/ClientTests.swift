import Fixtures
import KubernetesAPI
import KubernetesHarness
import Synchronization
import Testing

/// The client against an API server: the double, or the real one.
@Suite("Client of the Kubernetes API", .timeLimit(.minutes(5))) struct ClientTests {
    static func client(_ cluster: TestCluster, as user: ClusterUser = .admin) async throws -> KubernetesClient {
        try KubernetesClient(Kubeconfig(file: try await cluster.kubeconfig(for: user)).configuration)
    }

    static func map(_ name: String, _ data: JSONValue = [:]) -> KubernetesObject {
        KubernetesObject([
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": data,
        ])
    }

    @Test("An object is made, read, changed, replaced and taken away; one that changed meanwhile is a conflict")
    func objects() async throws {
        let cluster = try await TestCluster.shared(), client = try await Self.client(cluster)
        let maps = Resource.configMaps(try await cluster.namespace())
        let made = try await client.create(maps, Self.map("a", ["x": "1"]))
        #expect(try await client.get(maps, "a").json["data"] == ["x": "1"])
        let patched = try await client.patch(
            maps, "a", ["data": ["x": .null, "y": "2"]], expecting: made.resourceVersion)
        #expect(patched.json["data"] == ["y": "2"])
        await #expect(throws: KubernetesError.self) {
            try await client.patch(maps, "a", ["data": ["z": "3"]], expecting: made.resourceVersion)
        }
        do throws(KubernetesError) {
            try await client.replace(maps, made)
            Issue.record("An old version was taken.")
        } catch {
            #expect(error.code == .conflict && error.status == 409)
        }
        var next = patched
        next.json["data"] = ["w": "4"]
        #expect(try await client.replace(maps, next).json["data"] == ["w": "4"])
        do throws(KubernetesError) {
            try await client.create(maps, Self.map("a"))
            Issue.record("A name was taken twice.")
        } catch {
            #expect(error.code == .conflict && error.reason == "AlreadyExists")
        }
        try await client.delete(maps, "a")
        do throws(KubernetesError) {
            _ = try await client.get(maps, "a")
            Issue.record("It is still there.")
        } catch {
            #expect(error.code == .notFound)
        }
    }

    @Test("Lists come in parts, and who may not is told so") func lists() async throws {
        let cluster = try await TestCluster.shared(), client = try await Self.client(cluster)
        let maps = Resource.configMaps(try await cluster.namespace())
        for index in 0..<7 { try await client.create(maps, Self.map("m\(index)")) }
        var names: Set<String> = [], token: String?, parts = 0
        repeat {
            let page = try await client.list(maps, limit: 3, after: token)
            #expect(page.objects.count <= 3 && !page.resourceVersion.isEmpty)
            names.formUnion(page.objects.map(\.name))
            token = page.next
            parts += 1
        } while token != nil
        #expect(names.isSuperset(of: (0..<7).map { "m\($0)" }) && parts >= 3)
        let stranger = try await Self.client(cluster, as: .stranger)
        do throws(KubernetesError) {
            _ = try await stranger.list(maps, limit: 3)
            Issue.record("A stranger read.")
        } catch {
            #expect(error.code == .forbidden)
        }
        let nobody = try await Self.client(cluster, as: .bearer("no such token"))
        do throws(KubernetesError) {
            _ = try await nobody.list(maps, limit: 3)
            Issue.record("Nobody read.")
        } catch {
            #expect(error.code == .unauthorized)
        }
    }

    @Test("A certificate of another authority is not believed") func authority() async throws {
        let cluster = try await TestCluster.shared()
        let other = try await TestCluster.startDouble().cluster
        let configuration = try ClusterConfiguration(
            server: cluster.url, authority: .file(other.authorityFile), credential: .none)
        let client = try KubernetesClient(configuration)
        do throws(KubernetesError) {
            _ = try await client.get(.nodes, "a")
            Issue.record("Anybody can be the API server.")
        } catch {
            #expect(error.code == .unreachable)
        }
        await other.stop()
    }

    @Test("A server's word about when to come again is read, and a lost answer is told as one") func faults()
        async throws
    {
        let (cluster, double) = try await TestCluster.startDouble()
        let client = try await Self.client(cluster)
        double.fault(.status(429, retryAfter: 7))
        do throws(KubernetesError) { _ = try await client.get(.nodes, "a") } catch {
            #expect(error.code == .tooManyRequests && error.retryAfter == 7 && error.mayHeal)
        }
        double.fault(.status(500, retryAfter: nil))
        do throws(KubernetesError) { _ = try await client.get(.nodes, "a") } catch { #expect(error.code == .server) }
        double.fault(.close)
        do throws(KubernetesError) { _ = try await client.get(.nodes, "a") } catch {
            #expect(error.code == .unreachable)
        }
        double.fault(.delay(.seconds(5)))
        do throws(KubernetesError) {
            try await client.patch(.nodes, "a", [:], timeout: 1)
            Issue.record("It waited.")
        } catch {
            #expect(error.code == .unreachable)
        }
        await cluster.stop()
    }
}
