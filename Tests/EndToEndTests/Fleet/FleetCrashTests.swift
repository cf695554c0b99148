import Fixtures
import Foundation
import Testing

/// Agents and brokers that are killed while a disk's key is on its way, with the real programs on both sides.
@Suite(
    "A fleet whose programs are killed", .serialized,
    .enabled(if: TestVolume.isPossible && FleetShell.isPossible, "cryptsetup, curl, jq or openssl is not installed"),
    .timeLimit(.minutes(15)))
struct FleetCrashTests {
    private let unlock = "carnet-agent disk unlock volume.img --test-passphrase $machine"

    @Test("The agent, at each request of an enrolment: some key opens the volume, and a rerun finishes it")
    func enrolment() async throws {
        try await FleetScene.enrolled { scene in
            try await scene.format("fresh.img")
            let enrol =
                "carnet-agent disk enrol volume.img --name data --key-file install.key --remove-key-file install.key $machine $services"
            for moment in [KillingProxy.Moment.before, .after] {
                for number in 1...20 {
                    try await scene.run("cp fresh.img volume.img")
                    guard try await scene.run(enrol, killing: "agent.pid", at: number, moment) else {
                        #expect(number > 4)
                        break
                    }
                    let isOld =
                        try await scene.status("cryptsetup open --test-passphrase --key-file install.key volume.img")
                        == 0
                    let isHere = try await scene.status("\(unlock) --offline") == 0
                    #expect(isOld || isHere, "request \(number), \(moment)")
                    try await scene.run(enrol)
                    try await scene.run("\(unlock) --offline")
                    try await scene.run(
                        "cryptsetup open --test-passphrase --key-file install.key volume.img", status: 2)
                    let kept = try await scene.run(
                        #"carnet escrow list --json | jq -c '.[] | select(.volume == "data") | .versions | length'"#)
                    #expect(kept == "1\n", "request \(number), \(moment)")
                }
            }
        }
    }

    @Test("Enrolments that die again and again do not fill the broker")
    func repeated() async throws {
        try await FleetScene.enrolled { scene in
            try await scene.format("volume.img")
            let enrol = "carnet-agent disk enrol volume.img --name data --key-file install.key $machine $services"
            for _ in 1...6 {
                scene.proxy.watch { _, line, moment in
                    guard moment == .after, line.hasPrefix("PUT /escrow/v1/volumes/data ") else { return false }
                    scene.kill("agent.pid")
                    return true
                }
                _ = try await scene.status("echo $$ > agent.pid; exec \(enrol)")
            }
            scene.proxy.watch(nil)
            try await scene.run(enrol)
            try await scene.run("\(unlock) --offline")
        }
    }

    @Test(
        "The agent, and the broker, at each request of an update: nothing is lost, and the next try opens",
        arguments: ["agent.pid", "broker.pid"])
    func update(victim: String) async throws {
        try await FleetScene.enrolled { scene in
            try await scene.run(
                """
                cp machine/event-log.bin good.bin; printf 'linux 6.1.56' > vmlinuz.new; cp volume.img enrolled.img
                (echo 'version: 1'; echo 'name: linux-6.1.56'; echo 'banks:'; carnet policy predict --event-log good.bin --kernel vmlinuz.new --yaml) > t.yaml
                carnet policy template add t.yaml && demo-machine update machine --kernel vmlinuz.new
                """)
            for moment in KillingProxy.Moment.allCases {
                for number in 1...8 {
                    try await scene.run("cp enrolled.img volume.img")
                    guard try await scene.run("\(unlock) $services", killing: victim, at: number, moment) else {
                        #expect(number > 2)
                        break
                    }
                    if victim == "broker.pid" { try await scene.run("broker && ready $CARNET_BROKER") }
                    try await scene.run("\(unlock) $services")
                    try await scene.run("\(unlock) --offline")
                }
            }
            try await scene.run(
                """
                carnet audit export --verifier $CARNET_BROKER --token-file broker.token > ledger.jsonl &&
                curl -sSf $CARNET_BROKER/.well-known/jwks.json > broker.jwks && carnet audit verify ledger.jsonl --keys broker.jwks
                """)
        }
    }
}
