import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// What `carnet policy predict` tells before an update, against what the TPM holds after it.
@Suite("The next boot, foretold and then booted", .serialized, .timeLimit(.minutes(5)))
struct NextBootTests {
    /// Foretells, has the lines in force before the update, updates, and attests.
    private func foretold(
        _ old: EventLogBuilder, _ new: EventLogBuilder, _ runtime: RuntimeLogBuilder? = nil,
        _ arguments: @Sendable (TemporaryDirectory) throws -> [String]
    ) async throws {
        let head =
            "version: 1\nid: next\nevent_log: required\n\(runtime == nil ? "" : "runtime_log: required\n")banks:\n"
        let policy = try GoodBoot.policy(for: old) + (runtime == nil ? "" : "    11: ignore\nruntime_log: required\n")
        try await LivingMachine.enrolled(old, runtime, policy: policy) { machine in
            let first = try await machine.attest(old, runtime)
            #expect(first.status == "affirming", "\(first)")
            var predict = ["policy", "predict", "--event-log", try machine.folder.write(old.bytes, "old.bin")]
            if let runtime {
                predict += ["--runtime-log", try machine.folder.write(runtime.bytes, "runtime.log")]
            }
            predict += try arguments(machine.folder)
            let lines = try await machine.carnet(predict + ["--yaml"])
            let json = try await machine.carnet(predict + ["--json"])
            let root = try JSONDocument(parsing: json.output, maximumByteCount: 1 << 20).root
            let before = try machine.pcrs(Array(0..<16))
            try await machine.activate(head + lines.text)
            let early = try await machine.attest(old, runtime)
            #expect(early.status == "contraindicated")
            try machine.boot(new, runtime)
            let after = try machine.pcrs(Array(0..<16))
            for (name, value) in root["pcrs"]?.members ?? [] {
                let pcr = try #require(Int(name))
                #expect(value["value"]?.string == after[pcr]?.hex, "PCR \(pcr)")
                #expect(value["was"]?.string == before[pcr]?.hex, "PCR \(pcr)")
            }
            let moved = (0..<16).filter { before[$0] != after[$0] }
            #expect(root["changed"]?.elements?.compactMap { $0.integer.map(Int.init) } == moved && !moved.isEmpty)
            let late = try await machine.attest(new, runtime)
            #expect(late.status == "affirming" && late.findings.isEmpty, "\(late)")
        }
    }

    @Test("GRUB: a kernel with its initial RAM disk, another GRUB, and another command line")
    func grub() async throws {
        var kernel = GRUBBoot()
        kernel.kernel = MadeUpImage.kernel("linux 6.1.56")
        kernel.initrd = Array("initrd of linux 6.1.56".utf8)
        let next = kernel
        try await foretold(GRUBBoot().log(), next.log()) { folder in
            [
                "--kernel", try folder.write(next.kernel, "vmlinuz"), "--initrd",
                try folder.write(next.initrd, "initrd"),
            ]
        }
        var loaders = GRUBBoot()
        loaders.grub = MadeUpImage.kernel("grub 2.12")
        loaders.shim = MadeUpImage.kernel("shim 16.1")
        let newer = loaders
        try await foretold(GRUBBoot().log(), newer.log()) { folder in
            [
                "--efi", "grubx64.efi=" + (try folder.write(newer.grub, "grub")), "--efi",
                "shimx64.efi=" + (try folder.write(newer.shim, "shim")),
            ]
        }
        var line = GRUBBoot()
        line.arguments = "root=/dev/mapper/system ro debug"
        try await foretold(GRUBBoot().log(), line.log()) { _ in
            ["--command-line", "root=/dev/mapper/system ro debug"]
        }
    }

    @Test(
        "A unified kernel image, with systemd's measurements behind its own", arguments: [0, 1] as [UInt8],
        [false, true])
    func unified(secureBoot: UInt8, hasOld: Bool) async throws {
        let runtime = GoodBoot.runtimeLog()
        for (kernel, line, initrd) in [
            ("linux 6.1.56", "root=/dev/mapper/system ro", "initrd of linux 6.1.56"),
            ("linux 6.1.55", "root=/dev/mapper/system ro debug", "initrd of linux 6.1.55"),
        ] {
            let old = UnifiedBoot(secureBoot: secureBoot)
            let new = UnifiedBoot(kernel: kernel, line: line, initrd: initrd, secureBoot: secureBoot)
            try await foretold(old.log(), new.log(), runtime) { folder in
                ["--uki", try folder.write(new.image, "new.efi")]
                    + (hasOld ? ["--old-uki", try folder.write(old.image, "old.efi")] : [])
            }
        }
    }
}
