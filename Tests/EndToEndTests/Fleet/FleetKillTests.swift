import Fixtures
import Foundation
import Testing

/// Agents that are killed between any two commands to the TPM: so before and after each call of cryptsetup as well, and each request.
@Suite(
    "A fleet whose agents are killed", .serialized,
    .enabled(if: TestVolume.isPossible && FleetShell.isPossible, "cryptsetup, curl, jq or openssl is not installed"),
    .timeLimit(.minutes(15)))
struct FleetKillTests {
    /// A prime, so that the steps of programs are met at other places each time.
    private static let stride = 7

    /// Runs a command again and again, killed at one command to the TPM after the other, until it ends before it is.
    ///
    /// - Parameters:
    ///   - command: With `$machine` for TPM and state.
    ///   - reset: What makes everything as it was.
    ///   - check: What has to hold after each death.
    /// - Returns: How many died.
    private func kill(
        _ command: String, in scene: FleetScene, reset: String, check: @Sendable (Int) async throws -> Void
    ) async throws -> Int {
        let relay = try TPMRelay(before: scene.folder + "/machine/tpm.sock")
        let relayed = command.replacing("$machine", with: "--tcti \(relay.tcti) --state machine/agent")
        var deaths = 0
        for place in Swift.stride(from: 1, to: 400, by: Self.stride) {
            try await scene.run(reset)
            relay.watch { number in
                guard number == place else { return false }
                scene.kill("agent.pid")
                return true
            }
            _ = try await scene.status("echo $$ > agent.pid; exec \(relayed)")
            let isKilled = relay.count >= place
            relay.watch(nil)
            guard isKilled else { break }
            deaths += 1
            // What the resource manager of a kernel does when a program is gone.
            try await scene.run(
                "for kind in -t -l -s; do tpm2_flushcontext -T swtpm:path=$PWD/machine/tpm.sock $kind; done > flush.log || true"
            )
            try await check(place)
        }
        return deaths
    }

    @Test("During an enrolment some key opens the volume at any time, and a rerun finishes it")
    func enrolment() async throws {
        try await FleetScene.enrolled { scene in
            try await scene.format("fresh.img")
            let enrol =
                "carnet-agent disk enrol volume.img --name data --key-file install.key --remove-key-file install.key $machine $services"
            let old = "cryptsetup open --test-passphrase --key-file install.key volume.img"
            let here = "carnet-agent disk unlock volume.img --test-passphrase $machine --offline"
            let deaths = try await kill(enrol, in: scene, reset: "cp fresh.img volume.img") { place in
                let isOld = try await scene.status(old) == 0, isHere = try await scene.status(here) == 0
                #expect(isOld || isHere, "command \(place)")
                try await scene.run(enrol)
                try await scene.run(here)
                try await scene.run(old, status: 2)
            }
            #expect(deaths > 8)
        }
    }

    @Test("During an update nothing is lost, and the next try opens")
    func update() async throws {
        try await FleetScene.enrolled { scene in
            try await scene.run(
                """
                cp machine/event-log.bin good.bin; printf 'linux 6.1.56' > vmlinuz.new; cp volume.img enrolled.img
                (echo 'version: 1'; echo 'name: linux-6.1.56'; echo 'banks:'; carnet policy predict --event-log good.bin --kernel vmlinuz.new --yaml) > t.yaml
                carnet policy template add t.yaml && demo-machine update machine --kernel vmlinuz.new
                """)
            let unlock = "carnet-agent disk unlock volume.img --test-passphrase $machine"
            let deaths = try await kill("\(unlock) $services", in: scene, reset: "cp enrolled.img volume.img") {
                place in
                try await scene.run("\(unlock) $services")
                try await scene.run("\(unlock) --offline")
            }
            #expect(deaths > 8)
        }
    }
}
