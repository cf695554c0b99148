import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

/// A verifier whose disk runs full: a small tmpfs, which only root can mount.
@Suite(.timeLimit(.minutes(3)))
struct FullDiskTests {
    @Test("On a full disk nobody gets a passport and nothing is lost; with room again everybody does")
    func full() async throws {
        guard let disk = try SmallDisk(megabytes: 4) else {
            return print("skipped: a full disk needs a tmpfs, which cannot be mounted here")
        }
        let policy = try SimulatedTPM.policyFile()
        let verifier = try VerifierUnderTest(on: .sqlite) { configuration in
            configuration.dataDirectory = disk.path + "/data"
            configuration.policyFile = policy
        }
        try await verifier.run { client in
            let traffic = Traffic(client: client, administrator: try verifier.administrator)
            let tpm = try SimulatedTPM()
            try await traffic.enrol(tpm, "node")
            try await traffic.during {
                try await traffic.attest(tpm, "node")
            } body: {
                #expect(try await eventually { traffic.heard.now.passports.count >= 3 })
                try disk.fill()
                #expect(try await eventually { try await client.call(.get, "/readyz").status == 503 })
                let full = traffic.heard.now
                #expect(try await eventually { traffic.heard.now.failureCount > full.failureCount + 3 })
                try disk.empty()
                #expect(try await eventually { try await client.call(.get, "/readyz").status == 200 })
                let count = traffic.heard.now.passports.count
                #expect(try await eventually { traffic.heard.now.passports.count >= count + 3 })
            }
            let database = try await verifier.configurationDatabase.open(timeout: 5, maximumConnectionCount: 2)
            try await traffic.heard.now.audit(database, client)
        }
    }
}

/// A file system of a few megabytes.
private final class SmallDisk: Sendable {
    let path: String
    private var filling: String { path + "/filling" }

    /// Mounts one; `nil` where that is not allowed.
    init?(megabytes: Int) throws {
        path = try TemporaryFolder.make("disk")
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m,mode=0700") == 0 else { return nil }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Takes all room that is left.
    func fill() throws {
        let file = open(filling, O_WRONLY | O_CREAT, 0o600)
        defer { close(file) }
        for size in [65_536, 4096, 512, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while write(file, block, size) == size {}
        }
    }

    /// Gives it back.
    func empty() throws { try FileManager.default.removeItem(atPath: filling) }
}
