import CarnetEvidence
import CarnetTesting
import Cryptography
import TPM2
import Testing

@Suite("Keys that are bound to the quoted state")
struct StateBoundKeyTests {
    let machine: ForgedMachine
    let challenge: Challenge

    init() throws {
        machine = try ForgedMachine()
        challenge = machine.challenge()
    }

    private static let attributes: TPM.ObjectAttributes = [
        .fixedTPM, .fixedParent, .sensitiveDataOrigin, .noDA, .sign,
    ]
    private var state: TPM.PCRSelectionList { challenge.selection }

    /// The authenticated quote of a machine whose signing key has this policy and these attributes.
    private func quote(
        _ policy: [UInt8], _ attributes: TPM.ObjectAttributes = attributes, name: HashAlgorithm = .sha256,
        answering challenge: Challenge? = nil
    ) throws -> AuthenticatedQuote {
        let point = try machine.confirmationKey.publicKey.coordinates
        return try machine.authenticate(challenge ?? self.challenge) {
            $0.confirmation?.certify(
                TPM.Public(
                    nameAlgorithm: name, attributes: attributes, authPolicy: policy, scheme: .ecdsa(.sha256),
                    key: .ecc(curve: .p256, x: point.x, y: point.y)))
        }.accepted()
    }

    private func policy(
        _ selection: TPM.PCRSelectionList, _ hash: HashAlgorithm = .sha256,
        _ change: (inout [TPM.AlgorithmID: [Int: [UInt8]]]) -> Void = { _ in }
    ) throws -> TPM.PolicyDigest {
        var values = machine.registers
        change(&values)
        return try #require(TPM.PolicyDigest(hash).pcr(selection, in: values))
    }

    @Test(
        "A key with PolicyPCR over the quoted values and no password follows the state",
        arguments: [.sha256, .sha384] as [HashAlgorithm])
    func bound(name: HashAlgorithm) throws {
        let quote = try quote(policy(state, name).bytes, name: name)
        #expect(quote.keys.confirmation.isInTPM)
        #expect(quote.keys.confirmation.isBound(to: state, of: quote.pcrs))
        #expect(quote.keys.encryption?.isBound(to: state, of: quote.pcrs) == false, "each key by its own policy")
    }

    @Test("The encryption key's policy is looked at in the same way")
    func encryption() throws {
        let point = try machine.encryptionKey.publicKey.coordinates, digest = try policy(state)
        let quote = try machine.authenticate(challenge) {
            $0.encryption?.certify(
                TPM.Public(
                    attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .noDA, .decrypt],
                    authPolicy: digest.bytes, scheme: .ecdh(.sha256), key: .ecc(curve: .p256, x: point.x, y: point.y)))
        }.accepted()
        #expect(quote.keys.encryption?.isBound(to: state, of: quote.pcrs) == true)
        #expect(!quote.keys.confirmation.isBound(to: state, of: quote.pcrs))
    }

    @Test("Any other policy is none over the quoted state")
    func otherPolicies() throws {
        let right = try policy(state)
        let other = try policy(state) { $0[.sha256]?[4]?[31] ^= 1 }
        // TPM2_PolicyAuthorize (Part 3 §23.16) starts anew, and hashes twice: over the signer's name, then over the reference.
        let zero = [UInt8](repeating: 0, count: 32)
        let once = HashAlgorithm.sha256.hash(zero, [0, 0, 0x01, 0x6A], machine.area.name.bytes)
        let policies: [(String, [UInt8])] = [
            ("no policy", []), ("zeros", zero), ("other values", other.bytes),
            ("fewer PCRs", try policy(.init(bank: .sha256, indices: [0, 1, 4])).bytes),
            ("more PCRs", try policy(.init(bank: .sha256, indices: [0, 1, 4, 7, 8])).bytes),
            ("other PCRs", try policy(.init(bank: .sha256, indices: [0, 1, 4, 8])).bytes),
            ("another bitmap", try policy(.init(parsing: [0, 0, 0, 1, 0, 0x0B, 4, 0x93, 0, 0, 0])).bytes),
            ("PolicyOR", TPM.PolicyDigest().or([right, other]).bytes),
            ("PolicyOR of the same", TPM.PolicyDigest().or([right, right]).bytes),
            ("PolicySecret", right.secret(of: TPM.Hierarchy.endorsement.handleBytes).bytes),
            ("PolicyPCR twice", try #require(right.pcr(state, in: machine.registers)).bytes),
            ("PolicyAuthorize", HashAlgorithm.sha256.hash(once)),
            ("one bit", right.bytes.dropLast() + [(right.bytes.last ?? 0) ^ 1]),
        ]
        for (what, policy) in policies {
            let quote = try quote(policy)
            #expect(!quote.keys.confirmation.isBound(to: state, of: quote.pcrs), "\(what)")
            #expect(quote.keys.confirmation.isInTPM, "\(what)")
        }
    }

    @Test("PCRs of another bank are another state, and several banks count in their order")
    func banks() throws {
        let machine = try ForgedMachine(booting: GoodBoot.log(banks: [.sha256, .sha384]))
        let challenge = machine.challenge(banks: [.sha256, .sha384])
        let point = try machine.confirmationKey.publicKey.coordinates
        func isBound(_ selection: TPM.PCRSelectionList) throws -> Bool {
            let digest = try #require(TPM.PolicyDigest().pcr(selection, in: machine.registers))
            let quote = try machine.authenticate(challenge) {
                $0.confirmation?.certify(
                    TPM.Public(
                        attributes: Self.attributes, authPolicy: digest.bytes, scheme: .ecdsa(.sha256),
                        key: .ecc(curve: .p256, x: point.x, y: point.y)))
            }.accepted()
            return quote.keys.confirmation.isBound(to: challenge.selection, of: quote.pcrs)
        }
        #expect(try isBound(challenge.selection))
        #expect(try !isBound(.init(bank: .sha256, indices: [0, 1, 4, 7])))
        #expect(try !isBound(.init(bank: .sha384, indices: [0, 1, 4, 7])))
        #expect(try !isBound(.init(challenge.selection.selections.reversed())))
    }

    @Test(
        "A password, administration by policy, or a bit that nobody knows is another key",
        arguments: [
            attributes.union(.userWithAuth), attributes.union(.adminWithPolicy),
            attributes.union(.init(rawValue: 0x8_0000)), attributes.union(.init(rawValue: 0x100)),
        ])
    func otherAttributes(attributes: TPM.ObjectAttributes) throws {
        let quote = try quote(policy(state).bytes, attributes)
        #expect(quote.keys.confirmation.isInTPM && !quote.keys.confirmation.isBound(to: state, of: quote.pcrs))
    }

    @Test("The protection against dictionary attacks and stClear change nothing")
    func harmless() throws {
        for attributes in [Self.attributes.subtracting(.noDA), Self.attributes.union(.stClear)] {
            let quote = try quote(policy(state).bytes, attributes)
            #expect(quote.keys.confirmation.isBound(to: state, of: quote.pcrs))
        }
    }

    @Test("A key in software, an empty selection, and PCRs that were not quoted bind nothing")
    func nothing() throws {
        let software = try machine.authenticate(challenge, isBoundInTPM: false).accepted()
        #expect(!software.keys.confirmation.isBound(to: state, of: software.pcrs))
        let empty = try quote(TPM.PolicyDigest().bytes)
        #expect(!empty.keys.confirmation.isBound(to: .init([]), of: empty.pcrs))
        #expect(!empty.keys.confirmation.isBound(to: .init(bank: .sha256, indices: []), of: empty.pcrs))
        let more = TPM.PCRSelectionList(bank: .sha256, indices: [0, 1, 4, 7, 8])
        let unquoted = try quote(policy(more).bytes)
        #expect(!unquoted.keys.confirmation.isBound(to: more, of: unquoted.pcrs))
    }

    @Test("Selections have one spelling as text")
    func text() throws {
        for text in ["sha256:0", "sha256:0,4,7+sha384:0,23"] {
            #expect(try #require(TPM.PCRSelectionList(text: text)).text == text)
        }
        for text in [
            "", "sha256", "sha256:", "sha256:0,", "sha256:4,0", "sha256:0,0", "sha256:00", "sha256:+0", "sha256:24",
            "sha256:-1", "sha256:0+", "sha3000:0", "SHA256:0", "sha256:0 ", "sha256:0:1",
            "sha256:0" + String(repeating: "+sha256:0", count: 60),
        ] {
            #expect(TPM.PCRSelectionList(text: text) == nil, "\(text)")
        }
    }
}
