import ArgumentParser
import StrictEncoding
import TPM2
import CarnetCommandLine

struct InspectQuoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quote",
        abstract: "Decode what a TPM signed: a quote, a certification, or a creation (TPMS_ATTEST).",
        discussion: """
            Examples:
              carnet inspect quote quote.msg
              carnet inspect quote quote.msg --signature quote.sig --public ak.tpmt
            """)

    @Argument(help: "The file of the TPMS_ATTEST; - is standard input.")
    var file: String

    @Option(help: "The file of the TPMT_SIGNATURE; with --public it is checked.")
    var signature: String?

    @Option(help: "The file of the signer's TPMT_PUBLIC or TPM2B_PUBLIC.")
    var `public`: String?

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        var type = ""
        var signer: String
        var qualifyingData: String
        var clock: UInt64
        var resetCount: UInt32
        var restartCount: UInt32
        var safe: Bool
        var firmware: String
        var pcrs: [String: [Int]]?
        var pcrDigest: String?
        var name: String?
        var signatureIsValid: Bool?
    }

    func run() throws {
        let attest = try read("TPMS_ATTEST") { try TPM.Attest(parsing: Input.bytes(file)) }
        var report = Report(
            signer: Hexadecimal.encode(attest.qualifiedSigner), qualifyingData: Hexadecimal.encode(attest.extraData),
            clock: attest.clockInfo.clock, resetCount: attest.clockInfo.resetCount,
            restartCount: attest.clockInfo.restartCount, safe: attest.clockInfo.safe,
            firmware: String(attest.firmwareVersion, radix: 16))
        switch attest.attested {
        case .quote(let quote):
            report.type = "quote"
            let banks = quote.selection.selections.map { ($0.bank.description, $0.indices) }
            report.pcrs = Dictionary(banks) { $0 + $1 }
            report.pcrDigest = Hexadecimal.encode(quote.pcrDigest)
        case .certify(let certified):
            report.type = "certification"
            report.name = Hexadecimal.encode(certified.name)
        case .creation(let created):
            report.type = "creation"
            report.name = Hexadecimal.encode(created.objectName)
        }
        report.signatureIsValid = try verify(attest)
        if json { return try Output.json(report) }
        var rows = [
            ("type", report.type), ("signer", report.signer), ("qualifying data", report.qualifyingData),
            (
                "clock",
                "\(report.clock) ms, reset \(report.resetCount), restart \(report.restartCount), \(report.safe ? "safe" : "not safe")"
            ),
            ("firmware", report.firmware),
        ]
        for (bank, indices) in (report.pcrs ?? [:]).sorted(by: { $0.key < $1.key }) {
            rows.append(("PCRs " + bank, indices.map(String.init).joined(separator: ", ")))
        }
        if let digest = report.pcrDigest { rows.append(("PCR digest", digest)) }
        if let name = report.name { rows.append(("object", name)) }
        if let valid = report.signatureIsValid {
            rows.append(("signature", valid ? "by the given key" : "NOT by the given key"))
        }
        Output.table(rows)
        if report.signatureIsValid == false { throw Failure(.refused, "") }
    }

    private func verify(_ attest: TPM.Attest) throws -> Bool? {
        guard let signature, let `public` else {
            guard signature == nil, `public` == nil else {
                throw Failure(.unreadable, "Checking a signature takes both --signature and --public.")
            }
            return nil
        }
        let parsed = try read("TPMT_SIGNATURE") { try TPM.Signature(parsing: Input.bytes(signature)) }
        let bytes = try Input.bytes(`public`)
        let isSized = bytes.count > 2 && Int(bytes[0]) << 8 + Int(bytes[1]) == bytes.count - 2
        let area = try read("TPMT_PUBLIC") { try TPM.Public(parsing: isSized ? Array(bytes.dropFirst(2)) : bytes) }
        return area.isValid(parsed, over: attest.bytes)
    }

    private func read<Structure>(_ name: String, _ body: () throws -> Structure) throws -> Structure {
        do {
            return try body()
        } catch let error as TPM.ParseError {
            throw Failure(.unreadable, "This is no \(name): \(error)")
        }
    }
}
