import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import CarnetResult
import Cryptography
import StrictEncoding
import TPM2

struct ApproveStateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve-state",
        abstract: "Approve a state, in which machines may then unseal what they sealed to your key.",
        discussion: """
            The key pair is yours, made once and kept where no machine is:
              openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out approval.key
              openssl pkey -in approval.key -pubout -out approval.pem

            Examples:
              carnet-agent seal --authorised-by approval.pem --in token --out token.sealed      # on the machine
              carnet policy predict --from node-17 --uki new.efi --old-uki old.efi --json > next.json
              carnet approve-state --key approval.key --pcrs sha256:4,7 --state next.json --out approval.json
              carnet-agent unseal token.sealed --approval approval.json                         # on the machine

            An approval is for every machine that sealed to the key, and has no end: no TPM knows of one that was withdrawn. To be rid of one,
            make another key pair, have the machines seal a new secret to it, and approve what is still good.
            """)

    @Option(help: "The file of your private key, P-256, PEM (PKCS #8).")
    var key: String

    @Option(help: "The PCRs that must hold the state's values, as sha256:4,7.")
    var pcrs: String

    @Option(help: "The file with the values, as `carnet policy predict --json` prints them; - is standard input.")
    var state: String

    @Option(help: "The file for the approval; by default standard output. Nothing in it is secret.")
    var out = "-"

    func run() throws {
        guard let selection = TPM.PCRSelectionList(text: pcrs), selection.selections.allSatisfy({ $0.bank != .sha1 })
        else {
            throw ValidationError("--pcrs \(pcrs) is no PCR selection of a bank that is still good, as sha256:4,7.")
        }
        let key = try PrivateKeyFile.read(key)
        guard ApprovalKey.publicArea(key.publicKey) != nil else {
            throw Failure(.unreadable, "\(self.key) is no P-256 key, which is what TPMs check approvals with.")
        }
        guard let approved = PCRState(selection, in: try values()) else {
            throw Failure(.refused, "\(state) does not tell the value of each PCR of \(pcrs). Nothing was approved.")
        }
        try Output.bytes(try PolicyApproval(of: approved, by: key).bytes + [0x0A], to: out)
    }

    /// The values of the file, by bank and PCR.
    private func values() throws -> [TPM.AlgorithmID: [Int: [UInt8]]] {
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: Input.bytes(state, maximum: 1 << 20), maximumByteCount: 1 << 20).root
        } catch let error as JSONError {
            throw Failure(.unreadable, "\(state) is no JSON: \(error)")
        }
        guard let bank = root["bank"]?.string.flatMap(TPM.AlgorithmID.init(hashNamed:)), let pcrs = root["pcrs"] else {
            throw Failure(.unreadable, "\(state) is not what `carnet policy predict --json` prints.")
        }
        var values: [Int: [UInt8]] = [:]
        for index in 0..<24 {
            values[index] = pcrs[String(index)]?["value"]?.string.flatMap { Hexadecimal.decode($0) }
        }
        return [bank: values]
    }
}
