package import CarnetEvidence
import CarnetTesting
package import Cryptography
package import MeasurementLogs
import StrictEncoding
import Synchronization
package import TPM2

/// A TPM as the verifier sees it, over a long life: a ``ForgedMachine`` that reboots, forgets, and answers challenges with whatever a
/// test needs. Tests against real TPM commands are elsewhere.
package final class SimulatedTPM: Sendable {
    private let first: ForgedMachine
    private let boot = Mutex(Boot(log: SimulatedTPM.goodLog))

    private struct Boot {
        var log: EventLogBuilder
        /// The machine as it booted with the log, once it was asked.
        var booted: ForgedMachine?
        var resetCount: UInt32 = 1
        var clock: UInt64 = 1000

        /// Booting replays the log: once is enough for each boot.
        mutating func machine(_ first: ForgedMachine) throws -> ForgedMachine {
            if let booted { return booted }
            var machine = first
            try machine.boot(log)
            booted = machine
            return machine
        }
    }

    /// A TPM with fresh keys, booted once with ``goodLog``.
    ///
    /// - Parameter attributes: Those of the attestation key.
    package init(attributes: TPM.ObjectAttributes = ForgedMachine.attestationAttributes) throws {
        first = try ForgedMachine(attributes: attributes)
    }

    /// The endorsement key.
    package var endorsementKey: PrivateKey { first.endorsementKey }
    /// Its public area, from the TCG's template L-2.
    package var endorsementArea: TPM.Public { first.endorsementArea }
    /// The attestation key's public area.
    package var attestationArea: TPM.Public { first.area }
    /// The key that passports are bound to.
    package var passportKey: PrivateKey { first.confirmationKey }

    /// What a good machine measures.
    package static let goodLog = GoodBoot.log()

    /// What a machine measures whose boot loader was exchanged.
    package static let badLog = GoodBoot.tamperedLog()

    /// A policy that allows the PCRs of ``goodLog`` and nothing else.
    package static func policy(id: String = "test", pcrs: [Int] = Array(0..<8)) throws -> String {
        let values = try ForgedMachine(booting: goodLog).registers[.sha256, default: [:]]
        let lines = pcrs.map { pcr in "    \(pcr): \(Hexadecimal.encode(values[pcr] ?? []))" }
        return "version: 1\nid: \(id)\nevent_log: required\nbanks:\n  sha256:\n" + lines.joined(separator: "\n") + "\n"
    }

    /// Boots anew, measuring what `log` says.
    package func reboot(_ log: EventLogBuilder = goodLog) {
        boot.withLock { boot in
            boot.log = log
            boot.booted = nil
            boot.resetCount += 1
            boot.clock += 1000
        }
    }

    /// Sets the counters back to those of its first boot.
    package func forgetBoots() { boot.withLock { $0 = Boot(log: $0.log) } }

    /// What evidence is made of, before it is signed.
    package struct Parts: Sendable {
        /// The nonce that the quote answers.
        package var nonce: [UInt8]
        /// The PCRs that are quoted.
        package var selection: TPM.PCRSelectionList
        /// The values of the SHA-256 bank.
        package var registers: [Int: [UInt8]]
        /// The firmware's log.
        package var log: [UInt8]?
        /// How often the TPM was reset.
        package var resetCount: UInt32
        /// Milliseconds of power.
        package var clock: UInt64
        /// The Name that the evidence states.
        package var name: TPM.Name
        /// What the quote carries, where it is not what Carnet's own evidence carries.
        package var qualifyingData: [UInt8]?
    }

    /// Evidence that answers a challenge.
    ///
    /// - Parameter spoil: Changes what is signed or sent.
    package func evidence(
        nonce: [UInt8], _ selection: TPM.PCRSelectionList, _ spoil: (inout Parts) -> Void = { _ in }
    ) throws -> Evidence {
        let (state, booted) = try boot.withLock { boot in
            boot.clock += 1
            return (boot, try boot.machine(first))
        }
        var machine = booted
        var parts = Parts(
            nonce: nonce, selection: selection, registers: machine.registers[.sha256, default: [:]], log: machine.log,
            resetCount: state.resetCount, clock: state.clock, name: attestationArea.name)
        spoil(&parts)
        machine.registers = [.sha256: parts.registers]
        machine.log = parts.log
        machine.resetCount = parts.resetCount
        machine.clock = parts.clock
        let challenge = Challenge(nonce: parts.nonce, selection: parts.selection, expiresAt: 0)
        return try machine.evidence(challenge) { draft in
            draft.name = parts.name
            if let data = parts.qualifyingData { draft.quote.extraData = data }
        }
    }
}
