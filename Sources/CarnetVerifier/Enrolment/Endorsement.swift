import CarnetRecords
import HTTPTypes
import CarnetEvidence
import CarnetService
import Cryptography
import StrictEncoding
import TPM2

/// Decides whether an endorsement key is a TPM's: by its certificate, or because an operator registered it.
struct Endorsement: Sendable {
    let anchors: [Certificate]
    let register: EndorsementKeyRegister
    let clock: WallClock

    /// Reads `ek` of an enrolment, and checks it.
    ///
    /// - Throws: ``Problem``: 400 for what cannot be read, 403 for a key that nobody vouches for.
    func check(_ body: RequestObject, nodeName: String) async throws -> (TrustedEndorsementKey, certificate: [UInt8]?) {
        try body.requireOnly(["public", "certificate", "chain"])
        let key = try Self.key(body)
        let certificate = try Self.certificate(
            try body.optionalBytes("certificate", 1...Certificate.maximumByteCount), body.place("certificate"))
        let chain = try Self.chain(body)
        if let entry = try await register.entry(key.fingerprint) {
            guard entry.nodeName ?? nodeName == nodeName else {
                throw Self.refused("This endorsement key is registered for a node with another name.", member: "name")
            }
            if let trusted = key.registered(as: entry.digest) { return (trusted, certificate?.der) }
        }
        guard let certificate else {
            throw Self.refused(
                "The endorsement key has no certificate, and no operator registered it. Its SHA-256 is "
                    + "\(Hexadecimal.encode(key.fingerprint)): register it with `carnet node register`, or send its certificate.",
                member: body.place("certificate"))
        }
        do {
            let trusted = try key.certified(by: certificate, intermediates: chain, anchors: anchors, at: clock.now)
            return (trusted, certificate.der)
        } catch {
            throw Self.refused("\(error.description). \(error.remedy).", member: body.place("certificate"))
        }
    }

    private static func key(_ body: RequestObject) throws(Problem) -> EndorsementKey {
        let area = try PublicArea.read(body, "public")
        do {
            return try EndorsementKey(checking: area)
        } catch {
            throw refused("\(error.description). \(error.remedy).", member: body.place("public"))
        }
    }

    private static func chain(_ body: RequestObject) throws(Problem) -> [Certificate] {
        var chain: [Certificate] = []
        let encoded = try body.bytesArray("chain", upTo: 8, 1...Certificate.maximumByteCount)
        for (index, der) in encoded.enumerated() {
            guard let certificate = try certificate(der, body.place("chain") + "[\(index)]") else { continue }
            chain.append(certificate)
        }
        return chain
    }

    private static func certificate(_ der: [UInt8]?, _ place: String) throws(Problem) -> Certificate? {
        guard let der else { return nil }
        do {
            return try Certificate(der: der, padded: true)
        } catch {
            throw .malformed("This is no X.509 certificate: \(error)", member: place)
        }
    }

    static func refused(_ detail: String, member: String) -> Problem {
        Problem("enrolment-refused", .forbidden, title: "The machine may not enrol", detail: detail, member: member)
    }
}

/// TPMT_PUBLIC structures in requests.
enum PublicArea {
    /// Reads a member that holds one, in base64url.
    static func read(_ body: RequestObject, _ name: String) throws(Problem) -> TPM.Public {
        let bytes = try body.bytes(name, 1...1024)
        do {
            return try TPM.Public(parsing: bytes)
        } catch {
            throw .malformed("This is no TPMT_PUBLIC: \(error)", member: body.place(name))
        }
    }
}
