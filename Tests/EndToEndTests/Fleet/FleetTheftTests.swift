import CarnetAttester
import CarnetClient
import CarnetTesting
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// What thieves have, and do not get.
@Suite(
    "Thieves in a fleet", .serialized,
    .enabled(if: TestVolume.isPossible && FleetShell.isPossible, "cryptsetup, curl, jq or openssl is not installed"),
    .timeLimit(.minutes(5)))
struct FleetTheftTests {
    @Test("A stolen broker, disk, state and passport open nothing on another machine in the same state")
    func stolen() async throws {
        try await FleetScene.enrolled { scene in
            // The operator's own copy tells what must be nowhere else.
            try await scene.run(
                """
                subject=$(carnet node show node-17 --json | jq -r .subject)
                carnet escrow recover $subject root --key recovery.key --reason test --out disk.key
                carnet secret put default/app/token --file disk.key
                cat > app.yaml <<END
                version: 1
                id: app
                secrets: ["default/app/token"]
                machines: [$subject]
                passport: {key_protection: tpm-state}
                END
                carnet secret policy put app.yaml
                """)
            let key = try scene.bytes("disk.key")
            #expect(key.count == 32)
            let get = "carnet-agent secret get default/app/token --out -"
            #expect(try await scene.run("\(get) $machine $services | cmp - disk.key").isEmpty)
            // The database is copied while the broker works. Neither the key nor its text is in any of its files.
            let files = try FileManager.default.contentsOfDirectory(atPath: scene.folder + "/broker")
            #expect(files.contains("carnet.sqlite"))
            for file in files + ["../volume.img"] {
                let data = Data(try scene.bytes("broker/" + file))
                for form in [Data(key), Data(Base64URL.encode(key).utf8), Data(Hexadecimal.encode(key).utf8)] {
                    #expect(data.range(of: form) == nil, "\(file)")
                }
            }
            // Another TPM, whose PCRs are the same, with everything else of the machine.
            try await scene.run(
                """
                carnet-agent attest --key-protection tpm-state --out passport.jwt $machine $attest
                demo-machine provision thief && demo-machine boot thief && cp -r machine/agent thief/agent
                """)
            let thief = "--tcti swtpm:path=$PWD/thief/tpm.sock --state thief/agent"
            let unlock = "carnet-agent disk unlock volume.img --test-passphrase"
            try await scene.run("\(unlock) --offline \(thief)", status: 1)
            #expect(try await scene.status("\(unlock) \(thief) $services") != 0)
            // The passport alone, by curl.
            let url = "http://127.0.0.1:\(scene.proxy.port)/escrow/v1/volumes/root/release"
            let curl = """
                curl -sS -D head -o answer.json -w '%{http_code}' -X POST -H "Authorization: DPoP $(cat passport.jwt)" \
                    -H 'Content-Type: application/json' -d '{}' \(url)
                """
            #expect(try await scene.run(curl) == "401")
            // And with a proof by the thief's own TPM.
            let proof = "carnet-agent prove passport.jwt --method POST --url \(url) --nonce $nonce"
            func proven(_ machine: String) async throws -> String {
                try await scene.run(
                    """
                    nonce=$(grep -i '^dpop-nonce:' head | cut -d' ' -f2 | tr -d '\\r')
                    \(proof) \(machine) > proof.jwt && \(curl) -H "DPoP: $(cat proof.jwt)"
                    """)
            }
            #expect(try await proven(thief) == "401")
            let answer = String(decoding: try scene.bytes("answer.json"), as: UTF8.self)
            #expect(answer.contains("proof") && !answer.contains("nonce"), "\(answer)")
            #expect(try await proven("$machine") == "200")
            // Another machine of the fleet, enrolled and good: not its disk, and not its secret.
            try await scene.run(
                """
                carnet node register --name node-18 --ek-sha256 $(carnet-agent info --tcti swtpm:path=$PWD/thief/tpm.sock --json | jq -r .endorsementKeys.rsa.sha256)
                rm -r thief/agent; carnet-agent enrol --name node-18 \(thief) $attest && carnet-agent attest \(thief) $attest
                """)
            let other = try await scene.run("\(unlock) \(thief) $services", status: 1)
            #expect(other.contains("keeps nothing for the volume root of this machine"), "\(other)")
            let refused = try await scene.run("\(get) \(thief) $services", status: 1)
            #expect(refused.contains("No policy gives it to this machine"), "\(refused)")
        }
    }

    @Test("A node whose clock is wrong gets what is its own, by the broker's time")
    func wrongClock() async throws {
        try await FleetScene.enrolled { scene in
            try await scene.run(
                """
                echo secret > token.txt; carnet secret put default/app/token --file token.txt
                printf 'version: 1\nid: app\nsecrets: ["default/app/token"]\n' > app.yaml; carnet secret policy put app.yaml
                carnet-agent attest --key-protection tpm-state --out passport.jwt $machine $attest
                """)
            let passport = try #require(HeldPassport(try scene.bytes("passport.jwt")))
            let state = try #require(try AttesterState(in: scene.folder + "/machine/agent"))
            let device = try SoftwareTPM.existing(in: scene.folder + "/machine").device()
            let collector = EvidenceCollector(device: device, state: state, binding: KeyBinding(.tpmState))
            let day: Int64 = 86_400, now = Int64(Date().timeIntervalSince1970)
            for offset in [-3650 * day, -day, -400, 400, day, 3650 * day] {
                let connection = try ServiceConnection(
                    "http://127.0.0.1:\(scene.proxy.port)", allowPlainHTTP: true, service: "broker")
                let client = BrokerClient(
                    connection, passport: passport, collector: collector,
                    logs: LogSources(eventLog: .file(scene.folder + "/machine/event-log.bin"))
                ) { now + offset }
                let secret: [UInt8]?
                do {
                    secret = try await client.secret("default/app/token")
                } catch {
                    secret = nil
                    Issue.record("\(offset): \(error)")
                }
                await connection.close()
                #expect(secret.map { String(decoding: $0, as: UTF8.self) } == "secret\n", "\(offset)")
            }
        }
    }
}
