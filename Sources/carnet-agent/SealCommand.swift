import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import CarnetResult
import Cryptography
import Foundation
import TPM2

struct SealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Seal a secret, so that only this TPM opens it, and only while PCRs hold their values.",
        discussion: """
            Examples:
              carnet-agent seal --pcrs sha256:7 --in secret --out secret.sealed
              carnet-agent seal --pcrs sha256:0,4,7,11 --pin-file pin --in secret --out secret.sealed
              carnet-agent seal --authorised-by operator.pub.pem --in secret --out secret.sealed

            The secret has 1 to 128 bytes: seal a key, and encrypt the rest with it. With --pin-file the PIN opens it too, in any state; the
            TPM counts wrong ones and locks itself. With --authorised-by it opens in each state that the holder of the key approves.
            Keep a copy where the machine is not.
            """)

    @Option(help: "The TPM, as a TCTI string.")
    var tcti = TPMDevice.standardDevice

    @Option(
        help:
            "The PCRs that must keep their values, as sha256:7 (Secure Boot's state and authorities), which is the default."
    )
    var pcrs: String?

    @OptionGroup var pin: PINOptions

    @Option(help: "The operator's public key, P-256 in PEM, which approves states instead of --pcrs.")
    var authorisedBy: String?

    @Option(name: .customLong("in"), help: "The file of the secret; by default standard input.")
    var input = "-"

    @Option(help: "The file for the sealed secret, mode 0600; - is standard output.")
    var out: String

    func run() throws {
        guard pcrs == nil || authorisedBy == nil else {
            throw ValidationError("Give --pcrs, or --authorised-by: the approval names the PCRs.")
        }
        let selection = try PCRs.selection(pcrs ?? "sha256:7"), pin = try pin.pin() ?? []
        let key = try authorisedBy.map(OperatorKey.read)
        let secret = try Input.bytes(input, maximum: TPMDevice.maximumSealedByteCount)
        guard !secret.isEmpty else { throw Failure(.unreadable, "\(input) is empty: there is nothing to seal.") }
        let device = try TPMDevice(tcti), condition: SealingPolicy.Condition
        if let key {
            guard let area = ApprovalKey.publicArea(key) else {
                throw Failure(.unreadable, "\(authorisedBy ?? "") is no P-256 key.")
            }
            condition = .approved(by: area)
        } else {
            condition = .state(try device.state(selection))
        }
        let message = try device.seal(secret, policy: SealingPolicy(condition, hasPIN: !pin.isEmpty), pin: pin)
        try Output.bytes(message.bytes + [0x0A], to: out)
        if out != "-" { Output.aside("The sealed secret is in \(out).") }
    }
}

struct UnsealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unseal",
        abstract: "Open what this TPM sealed, in the state to which it was sealed.",
        discussion: """
            Examples:
              carnet-agent unseal secret.sealed --out secret
              carnet-agent unseal secret.sealed --pin-file pin
              carnet-agent unseal secret.sealed --approval approval.json

            Exit status 1: the PCRs hold other values, the PIN is wrong, or another TPM sealed it. The message says which.
            """)

    @Option(help: "The TPM, as a TCTI string.")
    var tcti = TPMDevice.standardDevice

    @Argument(help: "The file of the sealed secret; - is standard input.")
    var file: String

    @OptionGroup var pin: PINOptions

    @Option(help: "The file of an operator's approval of the state, for a secret that was sealed with --authorised-by.")
    var approval: String?

    @Option(help: "The file for the secret, mode 0600; by default standard output.")
    var out: String?

    func run() throws {
        let pin = try pin.pin()
        do throws(any Error) {
            let message = try SealedMessage(parsing: Input.token(file))
            let approval = try approval.map { try PolicyApproval(parsing: Input.token($0)) }
            let device = try TPMDevice(tcti)
            try Output.bytes(try device.unseal(message, pin: pin, approval: approval), to: out)
        } catch let error as JOSEError {
            throw Failure(.unreadable, "\(file) cannot be read: \(error).")
        }
    }
}

/// Public keys of operators.
enum OperatorKey {
    static func read(_ path: String) throws -> PublicKey {
        do {
            return try PublicKey(subjectPublicKeyInfo: der(path))
        } catch let error as CryptographyError {
            throw Failure(.unreadable, "\(path) is no public key in PEM: \(error).")
        }
    }

    /// The bytes between the lines of a PEM file (RFC 7468) that holds one public key and nothing else.
    private static func der(_ path: String) throws -> [UInt8] {
        let lines = String(decoding: try Input.bytes(path, maximum: 16_384), as: UTF8.self).split(
            whereSeparator: \.isNewline)
        guard lines.count > 2, lines.first == "-----BEGIN PUBLIC KEY-----", lines.last == "-----END PUBLIC KEY-----",
            let der = Data(base64Encoded: lines.dropFirst().dropLast().joined())
        else { throw Failure(.unreadable, "\(path) is no public key in PEM (openssl ec -in KEY -pubout).") }
        return [UInt8](der)
    }
}
