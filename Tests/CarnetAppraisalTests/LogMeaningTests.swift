import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import MeasurementLogs
import TPM2
import Testing

@Suite("What the log may say, and what not (rule 5; security checks 30 to 34)")
struct LogMeaningTests {
    /// A log whose event's data differs from what was measured, the digest kept.
    static func relabelled(_ change: (inout EventLogBuilder) -> Void) -> EventLogBuilder {
        GoodBoot.log(adding: change)
    }

    private func rules(
        _ log: EventLogBuilder, pcrs: [Int] = [0, 1, 4, 5, 7], family: Finding.Family = .policyViolation
    ) throws -> [String] {
        // The policy allows exactly what was measured: only the meaning of the log is in question.
        try Scenario(booting: log, pinning: pcrs, of: log).outcome().findings.filter { $0.family == family }
            .map(\.rule)
    }

    @Test("The good boot has nothing to explain")
    func good() throws { #expect(try rules(GoodBoot.log()).isEmpty) }

    @Test(
        "31: data that must be what was measured, and is not, is found in every firmware PCR",
        arguments: [
            (0, EventType.sCRTMVersion), (1, .efiVariableDriverConfig), (4, .efiAction), (5, .efiGPTEvent),
            (5, .action),
            (7, .efiVariableDriverConfig), (7, .efiVariableAuthority), (7, .efiAction),
            (7, .init(rawValue: 0x8000_00E4)),
        ])
    func data(pcr: Int, type: EventType) throws {
        let log = Self.relabelled { $0.add(pcr: pcr, type, data: [1, 2, 3], measuring: [4, 5, 6]) }
        #expect(try rules(log) == ["event-data"])
    }

    @Test("31: data that the specification leaves open is a hint, and not judged")
    func hints() throws {
        let log = Self.relabelled {
            $0.add(pcr: 0, .efiPlatformFirmwareBlob, data: [1], measuring: [2])
            $0.add(pcr: 1, .efiVariableBoot, data: [1], measuring: [2])
            $0.addImage(pcr: 4, path: "x", image: [1])
        }
        #expect(try rules(log).isEmpty)
    }

    @Test("31: shim of 2021 and before logs one byte more than it measures; that is known and not a lie")
    func shim() throws {
        let data = UEFIVariable.shimVendor + Self.variable(1, name: "Shim").dropFirst(16)
        let log = Self.relabelled { $0.add(pcr: 7, .efiVariableAuthority, data: data + [0], measuring: data) }
        #expect(try rules(log).isEmpty)
        let twoMore = Self.relabelled { $0.add(pcr: 7, .efiVariableAuthority, data: data + [0, 0], measuring: data) }
        #expect(try rules(twoMore) == ["event-data"])
        let otherType = Self.relabelled { $0.add(pcr: 7, .efiVariableDriverConfig, data: data + [0], measuring: data) }
        #expect(try rules(otherType) == ["event-data"])
        let other = Self.variable(1, name: "Shim")
        let notShims = Self.relabelled { $0.add(pcr: 7, .efiVariableAuthority, data: other + [0], measuring: other) }
        #expect(try rules(notShims) == ["event-data"])
        var early = EventLogBuilder()
        early.add(pcr: 7, .efiVariableAuthority, data: data + [0], measuring: data)
        for pcr in [0, 4, 7] { early.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        #expect(try rules(early, pcrs: [0, 4, 7]) == ["event-data"])
    }

    @Test("34: a separator that says error, or whose data is not what was measured")
    func separator() throws {
        for error: [UInt8] in [[1, 0, 0, 0], [0, 0, 0, 1], [9]] {
            #expect(try rules(Self.relabelled { $0.add(pcr: 5, .separator, data: error) }) == ["firmware-error"])
            #expect(
                try rules(Self.relabelled { $0.add(pcr: 5, .separator, data: [0, 0, 0, 0], measuring: error) })
                    == ["firmware-error"])
        }
        var ones = EventLogBuilder()
        for pcr in [0, 4] { ones.add(pcr: pcr, .separator, data: [0xFF, 0xFF, 0xFF, 0xFF]) }
        #expect(try rules(ones, pcrs: [0, 4]).isEmpty)
    }

    @Test("34: a separator, or an error instead of one, is known by its digest, whatever it is called")
    func disguisedSeparator() throws {
        for type in [EventType.ipl, .efiAction, .efiPlatformFirmwareBlob, .eventTag] {
            let error = Self.relabelled { $0.add(pcr: 2, type, data: [1, 0, 0, 0]) }
            #expect(try rules(error, pcrs: [0, 2, 4]) == ["firmware-error"])
            let hidden = Self.relabelled { $0.add(pcr: 2, type, data: Array("quiet".utf8), measuring: [0, 0, 0, 0]) }
            #expect(try rules(hidden, pcrs: [0, 2, 4]) == ["event-type"])
        }
        let second = Self.relabelled { $0.add(pcr: 4, .separator, data: [0, 0, 0, 0]) }
        #expect(try rules(second) == ["event-type"])
        // BootOrder = 0001, 0000: older firmware measures these four bytes alone.
        var order = EventLogBuilder()
        order.addVariable(pcr: 1, .efiVariableBoot, name: "BootOrder", value: [1, 0, 0, 0])
        let data = try Array(EventLog(parsing: order.bytes)[0].untrustedData)
        let boot = Self.relabelled { $0.add(pcr: 1, .efiVariableBoot, data: data, measuring: [1, 0, 0, 0]) }
        #expect(try rules(boot).isEmpty)
        let elsewhere = Self.relabelled { $0.add(pcr: 3, .efiVariableBoot, data: data, measuring: [1, 0, 0, 0]) }
        #expect(try rules(elsewhere, pcrs: [0, 3, 4]) == ["firmware-error"])
    }

    @Test(
        "30: PCR 7 has events of its own types only, so that nothing in it can be called something else",
        arguments: [
            EventType.ipl, .eventTag, .efiBootServicesApplication, .init(rawValue: 0x2), .init(rawValue: 0xFFFF),
        ])
    func whitelist(type: EventType) throws {
        #expect(try rules(Self.relabelled { $0.add(pcr: 7, type, data: [1]) }) == ["event-type"])
        #expect(try rules(Self.relabelled { $0.add(pcr: 8, type, data: [1]) }, pcrs: [0, 4, 8]).isEmpty)
    }

    @Test("32: a machine whose firmware can be debugged is not affirmed")
    func debugMode() throws {
        for name in ["UEFI Debug Mode", "UEFI Debug Mode\0"] {
            #expect(
                try rules(Self.relabelled { $0.add(pcr: 7, .efiAction, data: Array(name.utf8)) }) == ["firmware-debug"])
        }
    }

    @Test("32: Secure Boot cannot be claimed by calling the true events something else")
    func forgedSecureBoot() throws {
        // What was measured: Secure Boot is off; then, from the running system, the variable that says it is on.
        var measured = EventLogBuilder(), told = EventLogBuilder()
        var good = GoodBoot.log(secureBoot: 0)
        let off = Self.variable(0), on = Self.variable(1)
        for pcr in [0, 4] {
            measured.add(pcr: pcr, .separator, data: [0, 0, 0, 0])
            told.add(pcr: pcr, .separator, data: [0, 0, 0, 0])
        }
        measured.add(pcr: 7, .efiVariableDriverConfig, data: off)
        measured.add(pcr: 7, .separator, data: [0, 0, 0, 0])
        measured.add(pcr: 7, .efiVariableDriverConfig, data: on)
        told.add(pcr: 7, .ipl, data: [1], measuring: off)
        told.add(pcr: 7, .ipl, data: [2], measuring: [0, 0, 0, 0])
        told.add(pcr: 7, .efiVariableDriverConfig, data: on)
        let scenario = try Scenario(booting: measured, pinning: [0, 4], of: measured, ignoring: [7])
        let verdict = try scenario.outcome { $0.log = told.bytes }.verdict()
        #expect(verdict.attesterClaims.secureBoot == nil)
        let types = verdict.findings.filter { $0.family == .policyViolation }.map(\.rule)
        #expect(verdict.status == .contraindicated && types == ["event-type", "event-type", "event-type"])

        // Of a type that belongs there, the data is bound, and speaks for itself.
        var retold = EventLogBuilder()
        for pcr in [0, 4] { retold.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        for type in [EventType.efiAction, .efiVariableAuthority, .init(rawValue: 0x8000_00E3)] {
            for slack: [UInt8] in [[], [0]] {
                var retold = retold
                retold.add(pcr: 7, type, data: off + slack, measuring: off)
                retold.add(pcr: 7, .efiAction, data: [0, 0, 0, 0])
                retold.add(pcr: 7, .efiVariableDriverConfig, data: on)
                let verdict = try scenario.outcome { $0.log = retold.bytes }.verdict()
                #expect(verdict.attesterClaims.secureBoot == nil && verdict.status == .contraindicated)
            }
        }
        good.add(pcr: 7, .efiVariableDriverConfig, data: on)
        let late = try Scenario(booting: good, of: good).outcome().verdict()
        #expect(late.attesterClaims.secureBoot == nil)
        #expect(late.findings.map(\.rule) == ["event-type", "after-exit-boot-services"])
    }

    @Test("32: a debugged machine with Secure Boot off stays one, whatever its events are called")
    func relabelledDebugMode() throws {
        let off = Self.variable(0), on = Self.variable(1), debug = Array("UEFI Debug Mode".utf8)
        let databases = ["PK", "KEK", "db", "dbx"]
        func log(_ labels: [EventType], slack: [UInt8]) -> EventLogBuilder {
            var log = EventLogBuilder()
            for pcr in [0, 4] { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
            log.add(pcr: 7, labels[0], data: debug)
            log.add(pcr: 7, labels[1], data: off + slack, measuring: off)
            for name in databases { log.addVariable(pcr: 7, .efiVariableDriverConfig, name: name, value: [1]) }
            log.add(pcr: 7, labels[2], data: [0, 0, 0, 0])
            log.add(pcr: 7, .efiVariableDriverConfig, data: on)
            for name in databases { log.addVariable(pcr: 7, .efiVariableDriverConfig, name: name, value: [1]) }
            log.add(pcr: 7, .separator, data: [0, 0, 0, 0])
            return log
        }
        let measured = log([.efiAction, .efiVariableDriverConfig, .separator], slack: [])
        let scenario = try Scenario(booting: measured, pinning: [0, 4], of: measured, ignoring: [7])
        let types: [EventType] = [.efiAction, .efiVariableDriverConfig, .efiVariableAuthority, .separator, .ipl]
        for first in types {
            for second in types {
                for third in types {
                    for slack: [UInt8] in [[], [0]] {
                        let told = log([first, second, third], slack: slack)
                        let verdict = try scenario.outcome { $0.log = told.bytes }.verdict()
                        #expect(verdict.status == .contraindicated && verdict.attesterClaims.secureBoot != true)
                    }
                }
            }
        }
    }

    @Test("32: no events in PCR 7 are no statement about Secure Boot")
    func silence() throws {
        var log = EventLogBuilder()
        for pcr in [0, 4] { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        let scenario = try Scenario(booting: log, pinning: [0, 4], of: log, ignoring: [7])
        #expect(try scenario.outcome().verdict().attesterClaims.secureBoot == nil)
    }

    @Test("Secure Boot is not claimed where PCR 7 is not quoted")
    func notQuoted() throws {
        let scenario = try Scenario(pinning: [0, 4])
        #expect(try scenario.outcome().verdict().attesterClaims.secureBoot == nil)
    }

    @Test("Events of type EV_NO_ACTION carry nothing, whatever they say")
    func noAction() throws {
        let log = Self.relabelled { $0.add(pcr: 7, .noAction, data: Self.variable(0)) }
        let verdict = try Scenario(booting: log, of: log).outcome().verdict()
        #expect(verdict.status == .affirming && verdict.attesterClaims.secureBoot == true)
    }

    /// A measured variable with a value.
    static func variable(_ value: UInt8, name: String = "SecureBoot") -> [UInt8] {
        var log = EventLogBuilder()
        log.addVariable(pcr: 7, .efiVariableDriverConfig, name: name, value: [value])
        let data = (try? EventLog(parsing: log.bytes))?.events.first?.untrustedData
        return Array(data ?? [])
    }
}
