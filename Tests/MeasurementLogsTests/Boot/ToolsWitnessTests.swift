import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite(
    "Logs as tpm2_eventlog reads them",
    .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct ToolsWitnessTests {
    static let logs =
        MeasuredBootTests.sets.map { "measured-boot/\($0)/eventlog.bin" }
        + MeasuredBootTests.makers.map { "tcg-eventlog/\($0.name).bin" }
        + ["tcg-eventlog/tpm2-tools/event-postcode.bin"]

    /// The fields of each event in the tool's YAML, the Spec ID event left out. Of a field that occurs twice the first counts.
    static func events(_ yaml: String) -> [[String: String]] {
        var events: [[String: String]] = []
        for line in yaml.split(separator: "\n") {
            if line.hasPrefix("pcrs:") { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let key = parts.first?.filter({ $0 != " " && $0 != "-" }) else { continue }
            let value = parts.count > 1 ? parts[1].filter { $0 != "\"" && $0 != "'" } : ""
            if key == "EventNum" { events.append([:]) }
            guard let last = events.indices.last, events[last][key] == nil else { continue }
            events[last][key] = String(value.drop { $0 == " " })
        }
        return Array(events.dropFirst())
    }

    @Test("Types, registers, names, images, blobs and values are the tool's", arguments: logs)
    func fields(path: String) throws {
        guard let tool = try Witness.find("tpm2_eventlog") else { return }
        let yaml = try tool.run([SharedFixtures.path("fixtures/" + path)]).text
        let events = Self.events(yaml), log = try MeasuredBootTests.log(path)
        try #require(events.count == log.count)
        var compared = 0
        for (event, fields) in zip(log.events, events) {
            #expect(fields["PCRIndex"] == String(event.pcr))
            #expect(fields["EventType"] == event.untrustedType.description)
            #expect(fields["EventSize"] == String(event.untrustedData.count))
            switch event.untrustedContent {
            case .variable(let variable):
                #expect(fields["UnicodeName"] == variable.name)
                #expect(fields["VariableName"] == GUID(variable.vendor)?.description)
                #expect(fields["VariableDataLength"] == String(variable.data.count))
                compared += 3
            case .image(let image):
                #expect(fields["ImageLocationInMemory"] == "0x" + String(image.address, radix: 16))
                #expect(fields["ImageLengthInMemory"] == String(image.byteCount))
                #expect(fields["LengthOfDevicePath"] == String(image.devicePath.count))
                compared += 3
            case .firmwareBlob(let blob) where fields["BlobBase"] != nil:
                #expect(fields["BlobBase"] == "0x" + String(blob.address, radix: 16))
                #expect(fields["BlobLength"] == "0x" + String(blob.byteCount, radix: 16))
                compared += 2
            default: continue
            }
        }
        #expect(compared > 10)
        let values = try RealLogTests.expectations(text: yaml)
        for expected in values {
            guard let replay = ReplayedEventLog(log, bank: expected.bank) else { continue }
            // The tool of Debian 12 (5.4) does not look at StartupLocality.
            if expected.pcr == 0, replay.startValue(ofPCR: 0).last != 0 { continue }
            #expect(replay.value(ofPCR: expected.pcr).hex == expected.value, "\(expected.bank) PCR \(expected.pcr)")
        }
        #expect(!values.isEmpty)
    }
}
