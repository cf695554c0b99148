import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import TPM2
import Testing

/// A software TPM that measured a good boot, three files by the kernel, and three records by systemd.
@Suite("Evidence with logs", .serialized, .timeLimit(.minutes(5)))
struct CollectorTests {
    private let tpm: SoftwareTPM, collector: EvidenceCollector, list: IMAListBuilder, runtime = GoodBoot.runtimeLog()
    private let selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<16)

    init() throws {
        tpm = try SoftwareTPM.copy()
        list = try GoodBoot.imaList()
        try tpm.measure(GoodBoot.log())
        try tpm.measure(list)
        try tpm.measure(runtime)
        collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
    }

    private func collect(_ requirements: EvidenceRequirements, _ logs: LogSources) throws -> Evidence {
        try collector.collect(nonce: [1, 2, 3], selection: selection, requirements: requirements, logs: logs)
    }

    private var everything: LogSources {
        LogSources(
            eventLog: .bytes(GoodBoot.log().bytes), runtimeLog: .bytes(runtime.bytes), imaList: .bytes(list.bytes))
    }

    private func match(_ evidence: Evidence) throws -> IMAReplay.Match? {
        let part = try #require(evidence.ima), quoted = try #require(evidence.pcrs[.sha256]?[10])
        let list = try IMAList(parsing: part.entries, startingAt: part.offset)
        return IMAReplay.match(list, bank: .sha256, mode: .native, quoted: quoted).match
    }

    @Test("The logs explain what was quoted: firmware's and systemd's together, and the kernel's list")
    func explained() throws {
        let wanted = EvidenceRequirements(eventLog: .required, runtimeLog: .required, imaOffset: 0)
        let evidence = try collect(wanted, everything)
        #expect(try Evidence(parsing: evidence.bytes) == evidence)
        let firmware = try EventLog(parsing: #require(evidence.eventLog))
        let log = try firmware.appending(RuntimeLog(parsing: #require(evidence.runtimeLog)))
        let replay = try #require(ReplayedEventLog(log, bank: .sha256))
        for pcr in 0..<16 where pcr != 10 { #expect(evidence.pcrs[.sha256]?[pcr] == replay.value(ofPCR: pcr)) }
        #expect(evidence.pcrs[.sha256]?[11] != [UInt8](repeating: 0, count: 32))
        let match = try #require(try match(evidence))
        #expect(match.coveredCount == list.count)
        let aggregate = IMABootAggregate.check(try IMAList(parsing: list.bytes), match) { _, pcr in
            evidence.pcrs[.sha256]?[pcr]
        }
        guard case .matches(_, lastPCR: 9) = aggregate else { return #expect(Bool(false), "\(aggregate)") }
    }

    @Test("What is not wanted is not read, let alone sent")
    func unwanted() throws {
        let evidence = try collect(
            EvidenceRequirements(eventLog: .none),
            LogSources(eventLog: .file("/no/such"), runtimeLog: .file("/no/such"), imaList: .file("/no/such")))
        #expect(evidence.eventLog == nil && evidence.runtimeLog == nil && evidence.ima == nil)
    }

    @Test("An optional log that is not there is left out; one that was named has to be there")
    func optional() throws {
        let wanted = EvidenceRequirements(eventLog: .optional, runtimeLog: .optional)
        let absent = LogSources(eventLog: .fileIfReadable("/no/such/a"), runtimeLog: .fileIfReadable("/no/such/b"))
        let evidence = try collect(wanted, absent)
        #expect(evidence.eventLog == nil && evidence.runtimeLog == nil)
        #expect(try collect(wanted, LogSources()).eventLog == nil)
        for logs in [LogSources(eventLog: .file("/no/such")), LogSources(runtimeLog: .file("/no/such"))] {
            let error = #expect(throws: LogError.self) { try collect(wanted, logs) }
            #expect(error?.code == .unreadable && error?.path == "/no/such")
        }
        let folder = #expect(throws: LogError.self) { try collect(wanted, LogSources(eventLog: .file("/tmp"))) }
        #expect(folder?.code == .unreadable && folder?.description.contains("/tmp") == true)
    }

    @Test(
        "A log that is required and missing ends it with the file's name and the next step",
        arguments: [
            (EvidenceRequirements(eventLog: .required), "--event-log"),
            (EvidenceRequirements(runtimeLog: .required), "--runtime-log"),
            (EvidenceRequirements(imaOffset: 0), "--ima-list"), (EvidenceRequirements(imaOffset: 7), "--ima-list"),
        ])
    func required(requirements: EvidenceRequirements, option: String) throws {
        let folder = try TemporaryDirectory(), empty = try folder.write([], "empty")
        for path in ["/no/such/file", empty] {
            let source = LogSources.Source.fileIfReadable(path)
            let error = #expect(throws: LogError.self) {
                try collect(requirements, LogSources(eventLog: source, runtimeLog: source, imaList: source))
            }
            #expect(error?.code == .missing && error?.path == path)
            #expect(error?.description.contains(path) == true && error?.description.contains(option) == true)
        }
        let error = #expect(throws: LogError.self) { try collect(requirements, LogSources()) }
        #expect(error?.code == .missing && error?.path == nil && error?.description.contains(option) == true)
    }

    @Test("From an entry on, only what is new is sent; a list that is shorter, or no list, is sent whole")
    func incremental() throws {
        let folder = try TemporaryDirectory(), file = try folder.write(list.bytes, "list")
        var shorter = IMAListBuilder()
        GoodBoot.addFile(IMABootAggregate.name, [1], to: &shorter)
        for source in [LogSources.Source.file(file), .bytes(list.bytes)] {
            let logs = LogSources(imaList: source)
            for count in 0...3 {
                let part = try #require(try collect(EvidenceRequirements(imaOffset: count), logs).ima)
                #expect(part.offset == count)
                #expect(try IMAList(parsing: part.entries, startingAt: count).count == 3 - count)
                #expect(list.bytes.suffix(part.entries.count) == part.entries[...])
            }
            for count in [4, 5, 1 << 40] {
                let part = try #require(try collect(EvidenceRequirements(imaOffset: count), logs).ima)
                #expect(part == Evidence.IMA(offset: 0, entries: list.bytes))
            }
        }
        let noise = [UInt8](repeating: 0xFF, count: 500)
        let part = try collect(EvidenceRequirements(imaOffset: 1), LogSources(imaList: .bytes(noise))).ima
        #expect(part == Evidence.IMA(offset: 0, entries: noise), "it is the verifier's to say that this is no list")
    }

    @Test("A list that grows between the quote and its reading is longer than what was quoted, and still explains it")
    func growing() throws {
        let folder = try TemporaryDirectory(), pipe = folder.path + "/list"
        #expect(mkfifo(pipe, 0o600) == 0)
        var longer = list
        GoodBoot.addFile("/usr/bin/later", [9], to: &longer)
        // Whoever opens the pipe to write waits until the collector opens it to read: by then the quote was made.
        let kernel = Thread { [tpm, list, longer] in
            let descriptor = open(pipe, O_WRONLY)
            try? tpm.measure(longer, from: list.count)
            try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(longer.bytes))
        }
        kernel.start()
        let evidence = try collect(EvidenceRequirements(imaOffset: 0), LogSources(imaList: .file(pipe)))
        #expect(evidence.ima?.entries == longer.bytes)
        #expect(try match(evidence)?.coveredCount == list.count)
        let later = try collect(EvidenceRequirements(imaOffset: 0), LogSources(imaList: .bytes(longer.bytes)))
        #expect(try match(later)?.coveredCount == longer.count, "the PCR moved on")
    }

    @Test("A record that systemd is still writing when the quote is made is waited for")
    func lockedRuntimeLog() throws {
        let folder = try TemporaryDirectory(), file = try folder.write(runtime.bytes, "tpm2-measure.log")
        var longer = runtime
        longer.add(pcr: 11, "shutdown")
        // As systemd: lock, extend, write, unlock.
        let descriptor = open(file, O_WRONLY | O_APPEND)
        #expect(descriptor >= 0 && flock(descriptor, LOCK_EX) == 0)
        try tpm.measure(longer, from: runtime.measurements.count)
        let systemd = Thread { [runtime, longer] in
            usleep(500_000)
            try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
                .write(contentsOf: Data(longer.bytes.dropFirst(runtime.bytes.count)))
        }
        systemd.start()
        let evidence = try collect(
            EvidenceRequirements(runtimeLog: .required), LogSources(runtimeLog: .file(file)))
        #expect(evidence.runtimeLog == longer.bytes)
    }

    @Test("A log beyond the bound is refused before it is read whole, and the message names file and number")
    func tooLarge() throws {
        let folder = try TemporaryDirectory()
        func zeros(_ count: Int, _ name: String) throws -> String {
            let path = try folder.write([], name)
            #expect(truncate(path, off_t(count)) == 0)
            return path
        }
        for (requirements, maximum) in [
            (EvidenceRequirements(), Evidence.maximumEventLogByteCount),
            (EvidenceRequirements(eventLog: .none, runtimeLog: .optional), Evidence.maximumRuntimeLogByteCount),
            (EvidenceRequirements(eventLog: .none, imaOffset: 0), Evidence.IMA.maximumByteCount),
        ] {
            let exact = try zeros(maximum, "exact"), more = try zeros(1 << 40, "more")
            for (path, isRead) in [(exact, true), (more, false)] {
                let source = LogSources.Source.fileIfReadable(path)
                let logs = LogSources(eventLog: source, runtimeLog: source, imaList: source)
                if isRead {
                    let evidence = try collect(requirements, logs)
                    let bytes = evidence.eventLog ?? evidence.runtimeLog ?? evidence.ima?.entries
                    #expect(bytes?.count == maximum)
                } else {
                    let error = #expect(throws: LogError.self) { try collect(requirements, logs) }
                    #expect(error?.code == .tooLarge && error?.description.contains("\(maximum)") == true)
                    #expect(error?.path == path)
                }
            }
        }
    }
}
