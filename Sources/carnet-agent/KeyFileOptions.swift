import ArgumentParser
import CarnetKubelet
import Cryptography
import NodeAdmission

/// A key in a file to which a passport is bound, and a request for a node's certificate by that key.
struct KeyFileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bind the key of this file (P-256, PEM) in place of those in the TPM. It is made, mode 0600, if it is not there.",
            valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("With --key: the node whose certificate is asked for.", valueName: "name"))
    var node: String?

    @Option(
        help: ArgumentHelp(
            "With --node: the file for the certificate request, which shows the passport; - is standard output.",
            valueName: "file"))
    var csr: String?

    func validate() throws {
        guard key != "-" else { throw ValidationError("A key is in a file: name one with --key.") }
        guard (node == nil) == (csr == nil) else {
            throw ValidationError("A certificate request needs both --node and --csr.")
        }
        guard csr == nil || key != nil else {
            throw ValidationError("A certificate request is by a key in a file: give --key.")
        }
        guard node.map(NodeName.isValid) ?? true else {
            throw ValidationError("--node is a name in lower case, as RFC 1123 writes host names.")
        }
    }

    /// The certificate request that was asked for; `nil` where none was.
    func request(by key: PrivateKey?, showing passport: [UInt8]) throws(CryptographyError) -> String? {
        guard let key, let node, csr != nil else { return nil }
        return try NodeRequestText.make(node: node, key: key, showing: passport)
    }
}
