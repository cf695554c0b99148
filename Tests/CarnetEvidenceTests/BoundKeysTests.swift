import CarnetEvidence
import Cryptography
import CarnetTesting
import Testing

@Suite("The object with the keys to bind")
struct BoundKeysTests {
    let machine: ForgedMachine

    init() throws { machine = try ForgedMachine() }

    private func member(_ bound: [UInt8]) throws -> String? {
        let evidence = try machine.evidence(machine.challenge(), isBoundInTPM: false) { $0.bound = bound }
        do throws(EvidenceError) {
            _ = try UnverifiedQuote(evidence)
            return nil
        } catch {
            return error.member
        }
    }

    private func text(encryption: Bool = true) throws -> String {
        let bytes = BoundKeys.encode(
            confirmation: try machine.confirmationKey.publicKey.coordinates,
            encryption: encryption ? try machine.encryptionKey.publicKey.coordinates : nil)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A signing key is needed, an encryption key may be absent")
    func good() throws {
        #expect(try member(Array(text().utf8)) == nil)
        #expect(try member(Array(text(encryption: false).utf8)) == nil)
        #expect(try member(Array("{\"enc\":{}}".utf8)) == "bound.cnf")
    }

    @Test("Every way to spoil it is named")
    func spoilt() throws {
        let text = try text(encryption: false)
        for (pattern, value, member) in [
            (#""kty":"(EC)""#, "RSA", "bound.cnf.jwk.kty"), (#""crv":"(P-256)""#, "P-384", "bound.cnf.jwk.kty"),
            (#""(x)":"#, "X", "bound.cnf.jwk.x"), (#""x":"([^"]*)"#, "AAAA", "bound.cnf.jwk.x"),
            (#""x":"([^"]*)"#, String(repeating: "A", count: 43), "bound.cnf.jwk.x"),
            (#""x":"([^"]*)"#, String(repeating: "A", count: 44), "bound.cnf.jwk.x"),
            (#"("kty")"#, "\"d\":\"AA\",\"kty\"", "bound.cnf.jwk.d"),
            (#"("jwk")"#, "\"jku\":\"\",\"jwk\"", "bound.cnf.jku"), (#"("cnf")"#, "\"sub\":\"\",\"cnf\"", "bound.sub"),
            (#"("cnf")"#, "\"cnf\":{},\"cnf\"", "bound"), (#"(\{"jwk".*\}\})\}"#, "[]", "bound.cnf"),
        ] {
            #expect(try self.member(Array(text.replacing(group: pattern, with: value).utf8)) == member, "\(value)")
        }
        for bytes in [[], [0], Array("null".utf8), Array("[]".utf8), Array((text + text).utf8)] {
            #expect(try self.member(bytes) == "bound")
        }
    }
}
