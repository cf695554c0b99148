import CarnetClient
import CarnetAttester
import CarnetTesting
import Fixtures
import StrictEncoding
import Synchronization
import Testing
import VerifierHarness

/// What the machine says to a broker, and what it makes of the answers.
@Suite(
    "The broker's client", .serialized, .enabled(if: TestVolume.isPossible, "cryptsetup is not installed"),
    .timeLimit(.minutes(5)))
struct BrokerClientTests {
    @Test("Secrets come in both forms; the first call learns the nonce, the next ones have it")
    func secrets() async throws {
        try await DiskScene.run { scene in
            scene.broker.state.withLock { $0.secrets = ["default/tls/edge-17": [1, 2, 3]] }
            try await scene.withClient { client in
                #expect(try await client.secret("default/tls/edge-17") == [1, 2, 3])
                #expect(scene.broker.state.withLock { $0.log.count } == 2, "once without a nonce")
                #expect(try await client.secret("default/tls/edge-17", form: .tpmImport) == [1, 2, 3])
                #expect(scene.broker.state.withLock { $0.log.count } == 3)
                let failure = try await #require(throws: ServiceConnection.Failure.self) {
                    try await client.secret("default/tls/none")
                }
                #expect(failure.problem == "release-denied" && failure.description.contains("The broker refused"))
            }
        }
    }

    @Test("A clock that is wrong by hours is corrected by the broker's, once")
    func clock() async throws {
        try await DiskScene.run { scene in
            scene.broker.state.withLock { $0.secrets = ["a/b/c": [7]] }
            for error: Int64 in [-7200, 7200] {
                try await scene.withClient(clockError: error) { client in
                    scene.broker.state.withLock { $0.log = [] }
                    let secret = try await client.secret("a/b/c")
                    #expect(secret == [7])
                    #expect(scene.broker.state.withLock { $0.log.count } <= 3)
                }
            }
        }
    }

    @Test("Where the broker wants it, fresh evidence for its challenge is sent")
    func evidence() async throws {
        try await DiskScene.run { scene in
            scene.broker.state.withLock { state in
                state.secrets = ["a/b/c": [7]]
                state.wantsEvidence = true
            }
            let secret = try await scene.withClient { client in try await client.secret("a/b/c") }
            #expect(secret == [7])
            let evidence = scene.broker.state.withLock { $0.evidence }
            #expect(evidence.count == 1 && evidence.first?["quote"] != nil)
        }
    }

    @Test("Names of secrets", arguments: ["", "a", "a/b", "a/b/c/d", "a//c", "a/../c", "a/b/c?x", "a/b/ä", "a/b/c\n"])
    func names(text: String) {
        #expect(!BrokerClient.isSecretName(text))
        #expect(BrokerClient.isSecretName("default/tls/edge-17.example"))
    }
}
