import CarnetAttester
import CarnetClient
import CarnetTesting
import Fixtures
import Foundation
import Testing

/// What is given out only after a background check, by the real agent, broker and verifier.
@Suite(
    "A verdict of this moment", .serialized,
    .enabled(if: TestVolume.isPossible && FleetShell.isPossible, "cryptsetup, curl, jq or openssl is not installed"),
    .timeLimit(.minutes(5)))
struct FleetFreshTests {
    @Test("A machine that was tampered with keeps its passport for minutes, and gets nothing precious by it")
    func precious() async throws {
        try await FleetScene.enrolled { scene in
            try await scene.run(
                """
                carnet api-token create --role relying-party --name https://broker.example --out check.token
                kill $(cat broker.pid); while kill -0 $(cat broker.pid) 2> gone; do sleep 0.1; done
                CARNET_BROKER_VERIFIER_TOKEN_FILE=check.token broker
                ready $CARNET_BROKER
                printf usual > usual.txt; carnet secret put default/app/usual --file usual.txt
                printf precious > precious.txt; carnet secret put default/app/precious --file precious.txt
                printf 'version: 1\\nid: usual\\nsecrets: ["default/app/usual"]\\n' > usual.yaml
                printf 'version: 1\\nid: precious\\nsecrets: ["default/app/precious"]\\nfreshness: background-check\\n' > precious.yaml
                carnet secret policy put usual.yaml; carnet secret policy put precious.yaml
                carnet-agent attest --out passport.jwt $machine $attest
                """)
            let get = "carnet-agent secret get default/app/precious --out - $machine $services"
            #expect(try await scene.run(get).hasSuffix("precious"))
            #expect(try await release(scene, "usual") == "usual")
            #expect(try await release(scene, "precious") == "precious")
            try await scene.run("demo-machine tamper machine")
            // The passport is about the boot before, and nobody has heard of another yet.
            #expect(try await release(scene, "usual") == "usual")
            let refused = try await release(scene, "precious")
            #expect(refused.contains("PCR 4"), "\(refused)")
            try await scene.run("demo-machine boot machine")
            #expect(try await release(scene, "precious") == "precious")
            // Nobody to ask: not a verdict of before, and not none.
            scene.kill("verifier.pid")
            let away = try await release(scene, "precious")
            #expect(away.contains("The verifier cannot be asked now"), "\(away)")
            #expect(try await release(scene, "usual") == "usual")
            let ledger = try await scene.run(
                """
                carnet audit export --verifier $CARNET_BROKER --token-file broker.token --to ledger.jsonl > exported.log
                jq -r 'select(.kind | startswith("release")) | "\\(.kind) \\(.body.secret) \\(.body.model)"' ledger.jsonl | sort | uniq -c
                """)
            #expect(ledger.contains("release default/app/precious background-check"), "\(ledger)")
            #expect(ledger.contains("release-refused default/app/precious background-check"), "\(ledger)")
            #expect(ledger.contains("release default/app/usual passport"), "\(ledger)")
        }
    }

    /// Asks with the passport that is held, or tells why nothing came.
    private func release(_ scene: FleetScene, _ name: String) async throws -> String {
        let passport = try #require(HeldPassport(try scene.bytes("passport.jwt")))
        let state = try #require(try AttesterState(in: scene.folder + "/machine/agent"))
        let device = try SoftwareTPM.existing(in: scene.folder + "/machine").device()
        let collector = EvidenceCollector(device: device, state: state, binding: KeyBinding(.tpm))
        let connection = try ServiceConnection(
            "http://127.0.0.1:\(scene.proxy.port)", allowPlainHTTP: true, service: "broker")
        let client = BrokerClient(
            connection, passport: passport, collector: collector,
            logs: LogSources(
                eventLog: .file(scene.folder + "/machine/event-log.bin"),
                runtimeLog: .file(scene.folder + "/machine/measure.log")))
        let answer: String
        do {
            answer = String(decoding: try await client.secret("default/app/" + name), as: UTF8.self)
        } catch {
            answer = "\(error)"
        }
        await connection.close()
        return answer
    }
}
