import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import TPM2

/// A PIN, which comes from a file only.
struct PINOptions: ParsableArguments {
    @Option(help: "The file with the PIN, which only you may read: 1 to 32 bytes, the end of its line left out.")
    var pinFile: String?

    /// The PIN; `nil` where none was given.
    func pin() throws -> [UInt8]? {
        guard let pinFile else { return nil }
        var pin = try Input.secret(pinFile, maximum: 64)
        if pin.last == 0x0A { pin.removeLast() }
        guard (1...32).contains(pin.count), pin.last != 0 else {
            throw Failure(.unreadable, "\(pinFile) does not hold a PIN of 1 to 32 bytes.")
        }
        return pin
    }
}

/// A selection of PCRs as the command line has it.
enum PCRs {
    /// - Throws: `ValidationError` that says how it is written.
    static func selection(_ text: String) throws -> TPM.PCRSelectionList {
        guard let selection = TPM.PCRSelectionList(text: text) else {
            throw ValidationError("--pcrs \(text) is no PCR selection, such as sha256:0,7")
        }
        guard selection.selections.allSatisfy({ $0.bank != .sha1 }) else {
            throw ValidationError(
                "--pcrs \(text) names SHA-1, to which nothing is sealed. Name another bank, as sha256:0,7")
        }
        return selection
    }
}
