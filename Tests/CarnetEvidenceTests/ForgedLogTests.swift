import CarnetEvidence
import CarnetTesting
import Cryptography
import MeasurementLogs
import TPM2
import Testing

/// That the machine of the other tests is one whose logs explain its PCRs.
@Suite("A forged machine that runs")
struct ForgedLogTests {
    private func values(_ machine: ForgedMachine, _ bank: HashAlgorithm) -> [Int: [UInt8]] {
        machine.registers[TPM.AlgorithmID(bank), default: [:]]
    }

    @Test("Its PCRs follow from its logs, in every bank, in whatever steps they grew")
    func registers() throws {
        let boot = GoodBoot.log(banks: [.sha256, .sha384])
        var machine = try ForgedMachine(booting: boot), list = try GoodBoot.imaList()
        var runtime = RuntimeLogBuilder(banks: [.sha256, .sha384])
        try machine.measure(list)
        for step in 0..<3 {
            GoodBoot.addFile("/usr/bin/\(step)", [UInt8(step)], to: &list)
            list.addViolation("/var/log/\(step)")
            try machine.measure(list)
            runtime.add(pcr: 11 + step, "phase \(step)")
            machine.measure(runtime)
        }
        let log = try EventLog(parsing: boot.bytes).appending(RuntimeLog(parsing: runtime.bytes))
        for bank in [HashAlgorithm.sha256, .sha384] {
            let replay = try #require(ReplayedEventLog(log, bank: TPM.AlgorithmID(bank)))
            for pcr in 0..<24 where pcr != 10 { #expect(values(machine, bank)[pcr] == replay.value(ofPCR: pcr)) }
            let outcome = IMAReplay.match(
                try IMAList(parsing: list.bytes), bank: bank, mode: .native,
                quoted: try #require(values(machine, bank)[10]))
            #expect(outcome.match?.coveredCount == list.count && outcome.match?.violations.count == 3)
        }
        try machine.boot(boot)
        #expect(machine.imaList == nil && machine.runtimeLog == nil)
        #expect(values(machine, .sha256)[10] == [UInt8](repeating: 0, count: 32))
    }

    @Test("Its evidence carries the logs that are wanted and no other")
    func wanted() throws {
        var machine = try ForgedMachine()
        let list = try GoodBoot.imaList(), challenge = machine.challenge(Array(0..<16))
        let all = EvidenceRequirements(eventLog: .required, runtimeLog: .optional, imaOffset: 2)
        #expect(try machine.evidence(challenge, wanting: all).ima == nil, "it measured nothing yet")
        try machine.measure(list)
        machine.measure(GoodBoot.runtimeLog())
        let plain = try machine.evidence(challenge)
        #expect(plain.eventLog != nil && plain.runtimeLog == nil && plain.ima == nil)
        let full = try machine.evidence(challenge, wanting: all)
        #expect(full.runtimeLog == GoodBoot.runtimeLog().bytes && full.ima?.offset == 2)
        #expect(try IMAList(parsing: #require(full.ima).entries, startingAt: 2).count == list.count - 2)
        let later = try machine.evidence(challenge, wanting: EvidenceRequirements(eventLog: .none, imaOffset: 4))
        #expect(later.eventLog == nil && later.ima == Evidence.IMA(offset: 0, entries: list.bytes))
        let quote = try machine.authenticate(challenge, wanting: all).accepted()
        #expect(quote.eventLog == full.eventLog && quote.runtimeLog == full.runtimeLog && quote.ima == full.ima)
    }
}
