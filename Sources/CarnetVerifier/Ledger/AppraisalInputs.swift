import CarnetRecords
package import CarnetEvidence
package import MeasurementLogs
import StrictEncoding
package import TPM2

/// What an appraisal depended on beside the evidence and the policy: kept with the evidence, so that the same can be done again.
///
/// As JSON its bytes are always the same for the same inputs; their digest stands in the ledger. The nonce is not among them: that the
/// quote was fresh is what the ledger says, and the verdict does not depend on it.
package struct AppraisalInputs: Sendable, Hashable {
    /// Which call.
    let call: LedgerEntry.Kind
    /// The clock of then, in seconds since 1970.
    let time: Int64
    /// SHA-256 of the evidence that is kept.
    let evidence: [UInt8]
    /// TPML_PCR_SELECTION of what was asked for.
    let selection: [UInt8]
    /// The boot counters that the quote had to follow.
    let previous: BootCounters?
    /// How far the list of files was verified before.
    let checkpoint: IMACheckpoint?
    /// SHA-256 of the texts of the templates that there were, in their order.
    let templates: [[UInt8]]
    /// In which protocol the evidence came, which says how its quote is looked at.
    let form: EvidenceForm

    /// The inputs of an appraisal.
    package init(
        call: LedgerEntry.Kind, time: Int64, evidence: [UInt8], selection: TPM.PCRSelectionList,
        previous: BootCounters?, checkpoint: IMACheckpoint?, templates: [[UInt8]], form: EvidenceForm = .carnet
    ) {
        self.call = call
        self.time = time
        self.evidence = evidence
        self.selection = selection.bytes
        self.previous = previous
        self.checkpoint = checkpoint
        self.templates = templates
        self.form = form
    }

    var bytes: [UInt8] {
        JSONWriter.object { writer in
            writer.string("call", call.rawValue)
            writer.integer("time", time)
            writer.string("evidence_sha256", Hexadecimal.encode(evidence))
            writer.base64URL("selection", selection)
            if let previous {
                writer.object("after") { writer in
                    writer.integer("reset", Int64(previous.resetCount))
                    writer.integer("restart", Int64(previous.restartCount))
                    writer.integer("clock", Int64(bitPattern: previous.clock))
                }
            }
            if let checkpoint { writer.base64URL("ima", checkpoint.bytes) }
            writer.array("templates") { writer in
                for digest in templates { writer.element(Hexadecimal.encode(digest)) }
            }
            if form != .carnet { writer.string("form", form.rawValue) }
        }
    }

    /// Reads what was written; `nil` for anything else.
    init?(parsing bytes: [UInt8]) {
        guard let root = try? JSONDocument(parsing: bytes, maximumByteCount: 1 << 20, maximumDepth: 4).root,
            let call = root["call"]?.string.flatMap(LedgerEntry.Kind.init), let time = root["time"]?.integer,
            let evidence = root["evidence_sha256"]?.string.flatMap({ Hexadecimal.decode($0) }),
            let selection = Self.binary(root["selection"]),
            let templates = root["templates"]?.elements?.map({ $0.string.flatMap { Hexadecimal.decode($0) } ?? [] })
        else { return nil }
        self.call = call
        self.time = time
        self.evidence = evidence
        self.selection = selection
        self.templates = templates
        if let word = root["form"] {
            guard let form = word.string.flatMap(EvidenceForm.init), form != .carnet else { return nil }
            self.form = form
        } else {
            form = .carnet
        }
        if let after = root["after"] {
            guard let reset = after["reset"]?.integer.flatMap({ UInt32(exactly: $0) }),
                let restart = after["restart"]?.integer.flatMap({ UInt32(exactly: $0) }),
                let clock = after["clock"]?.integer
            else { return nil }
            previous = BootCounters(resetCount: reset, restartCount: restart, clock: UInt64(bitPattern: clock))
        } else {
            previous = nil
        }
        if let ima = root["ima"] {
            guard let checkpoint = Self.binary(ima).flatMap(IMACheckpoint.init(parsing:)) else { return nil }
            self.checkpoint = checkpoint
        } else {
            checkpoint = nil
        }
    }

    private static func binary(_ node: JSONNode?) -> [UInt8]? { node?.string.flatMap { Base64URL.decode($0) } }
}
