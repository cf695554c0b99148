import CarnetLedger
import CarnetResult
import Testing

@testable import CarnetRecords
@testable import CarnetVerifier

/// Exports that somebody wrote to harm the auditor.
@Suite struct HostileExportTests {
    @Test("Lines of any kind are faults, and never the end of the program") func lines() async throws {
        let scene = try await LedgerScene(1), good = try await scene.export()
        let zeros = String(repeating: "0", count: 64)
        let hostile: [String] = [
            "", "{}", "[]", "null", "\u{0}", "{\"checkpoint\":\"\"}", "{\"checkpoint\":\"a.b.c\"}",
            #"{"v":2,"chain":"a","number":9223372036854775807,"time":0,"kind":"","previous":"","hash":"","body":{}}"#,
            #"{"v":2,"chain":"a","number":-1,"time":0,"kind":"","previous":"","hash":"","body":{}}"#,
            #"{"v":2,"chain":"a","number":1099511627776,"time":9223372036854775807,"kind":"prune","previous":"","hash":"\#(zeros)","body":{"checkpoint":9223372036854775807}}"#,
            #"{"v":2,"chain":"a","number":1,"time":-9223372036854775808,"kind":"prune","previous":"","hash":"\#(zeros)","body":{"checkpoint":-9223372036854775808}}"#,
            #"{"v":3,"chain":"a","number":1,"time":0,"kind":"x","previous":"","hash":"","body":{}}"#,
            #"{"v":1,"chain":"v1/","number":1,"time":0,"kind":"x","challenge":"","outcome":"","evidence":"","previous":"","hash":"","findings":[]}"#,
            #"{"chain":"a","number":1099511627776,"unreadable":"x"}"#,
            #"{"v":2,"chain":"a","number":1,"time":0,"kind":"x","previous":"","hash":"","body":"#
                + String(repeating: "[", count: 100_000),
            String(repeating: "x", count: 100_000),
        ]
        for text in hostile {
            for lines in [[Array(text.utf8)], [Array(text.utf8)] + good, good + [Array(text.utf8)]] {
                #expect(!scene.audit(export: lines).isSound, "\(text.prefix(80))")
            }
        }
    }

    @Test("More chains than any ledger has are not remembered") func chains() async throws {
        let scene = try await LedgerScene(1)
        var audit = LedgerAudit(keys: scene.keys, isExport: true)
        for number in 0..<12_000 {
            let record = LedgerEntryRecord(
                chain: "c\(number)", number: 0, previous: LedgerEntryRecord.root, time: 0, kind: "service",
                subject: nil,
                challenge: nil, body: Array("{}".utf8))
            audit.add(.entry(record, hash: record.hash))
        }
        let report = audit.finish()
        #expect(report.heads.count == 10_000 && report.faults.count == LedgerAudit.maximumFaultCount)
    }
}
