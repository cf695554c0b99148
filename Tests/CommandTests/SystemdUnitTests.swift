import Fixtures
import Foundation
import Testing

/// The units as systemd's own programs judge them.
@Suite("systemd units", .timeLimit(.minutes(2))) struct SystemdUnitTests {
    static let units = [
        "carnet-verifier.service", "carnet-broker.service", "carnet-agent.service", "carnet-agent-kubelet.service",
    ]

    private func text(_ unit: String) throws -> String { try Repository.text("Docs/Deploy/systemd/" + unit) }

    @Test("systemd-analyze verify finds nothing to complain of")
    func verify() throws {
        guard let analyze = try Witness.find("systemd-analyze") else { return }
        let folder = try TemporaryDirectory()
        // The programs are not installed where tests run: something stands in for them.
        for unit in Self.units {
            let changed = try text(unit).replacing("/usr/bin/carnet-verifier", with: "/bin/true")
                .replacing("/usr/bin/carnet-agent", with: "/bin/true")
                .replacing("/usr/bin/carnet-broker", with: "/bin/true")
            _ = try folder.write(Array(changed.utf8), unit)
        }
        let words = ["verify", "--man=no"] + Self.units.map { folder.path + "/" + $0 }
        let testimony = try analyze.run(words)
        #expect(testimony.status == 0 && testimony.errors.isEmpty && testimony.text.isEmpty, "\(testimony)")
    }

    @Test(
        "systemd-analyze security grants little exposure: 1.5 of 10 to verifier and broker, 2.5 to the agent, which is root",
        arguments: [
            ("carnet-verifier.service", 15), ("carnet-broker.service", 15), ("carnet-agent.service", 25),
            ("carnet-agent-kubelet.service", 25),
        ])
    func security(unit: String, tenths: Int) throws {
        guard let analyze = try Witness.find("systemd-analyze") else { return }
        let testimony = try analyze.run([
            "security", "--offline=true", "--threshold=\(tenths)", "--no-pager",
            Repository.path("Docs/Deploy/systemd/" + unit),
        ])
        #expect(testimony.status == 0 && testimony.text.contains("Overall exposure level"), "\(testimony.errors)")
    }

    @Test("The agent's unit gives it what its settings want: the TPM, its state, a place for the socket, and no more")
    func agent() throws {
        let lines = Set(try text("carnet-agent.service").split(separator: "\n").map(String.init))
        for line in [
            "Type=notify", "ExecStart=/usr/bin/carnet-agent run --config /etc/carnet/agent.yaml",
            "ExecReload=/bin/kill -HUP $MAINPID", "StateDirectory=carnet-agent", "RuntimeDirectory=carnet-agent",
            "RuntimeDirectoryMode=0755", "CapabilityBoundingSet=", "DevicePolicy=closed",
            "DeviceAllow=/dev/tpmrm0 rw", "NoNewPrivileges=yes", "ProtectSystem=strict",
            "MemoryDenyWriteExecute=yes", "SystemCallFilter=~@privileged @resources",
        ] { #expect(lines.contains(line), "\(line)") }
        let example = try Repository.text("Docs/Examples/agent.yaml")
        #expect(example.contains("\n# state: /var/lib/carnet-agent\n"))
        #expect(example.contains("\n# socket: /run/carnet-agent/agent.sock\n"))
    }

    @Test("The unit for a node's certificates gives it the TPM and the kubelet's folders, and no more")
    func kubelet() throws {
        let lines = Set(try text("carnet-agent-kubelet.service").split(separator: "\n").map(String.init))
        for line in [
            "Type=notify", "ExecStart=/usr/bin/carnet-agent kubelet --config /etc/carnet/agent-kubelet.yaml",
            "StateDirectory=carnet-agent", "ReadWritePaths=-/etc/kubernetes -/var/lib/kubelet",
            "CapabilityBoundingSet=", "DeviceAllow=/dev/tpmrm0 rw", "NoNewPrivileges=yes", "ProtectSystem=strict",
        ] { #expect(lines.contains(line), "\(line)") }
        let example = try Repository.text("Docs/Examples/agent-kubelet.yaml")
        for path in ["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/pki/carnet-client.pem"] {
            #expect(example.contains(path))
        }
    }

    @Test("The verifier's unit gives it what its settings want: state, key and time to drain")
    func verifier() throws {
        let lines = Set(try text("carnet-verifier.service").split(separator: "\n").map(String.init))
        for line in [
            "Type=notify", "ExecStart=/usr/bin/carnet-verifier --config /etc/carnet/verifier.yaml",
            "ExecReload=/bin/kill -HUP $MAINPID", "StateDirectory=carnet", "CapabilityBoundingSet=",
            "LoadCredential=key-encryption-key:/etc/carnet/key-encryption-key",
            "Environment=CARNET_VERIFIER_KEY_ENCRYPTION_KEY=%d/key-encryption-key", "NoNewPrivileges=yes",
            "ProtectSystem=strict", "MemoryDenyWriteExecute=yes", "SystemCallFilter=~@privileged @resources",
        ] { #expect(lines.contains(line), "\(line)") }
        let example = try Repository.text("Docs/Examples/verifier.yaml")
        #expect(example.contains("\ndata: /var/lib/carnet\n"))
        // The default of --drain-seconds, and the 25 seconds for what was begun.
        #expect(example.contains("\n# drain-seconds: 5\n") && lines.contains("TimeoutStopSec=45"))
    }
}
