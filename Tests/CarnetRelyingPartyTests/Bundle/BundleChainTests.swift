import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Testing

@Suite("The chain of bundles")
struct BundleChainTests {
    @Test("Only the root key's bundle is a first one")
    func root() throws {
        let stage = try BundleStage(), other = try SigningKey(.generate())
        let foreign = try other.sign(stage.content(), named: BundleStage.name)
        #expect(try stage.fault(foreign) == .untrustedSigner)
        #expect(try stage.fault(stage.first()) == nil)
        for text in ["", "x", String(stage.root.keyID.dropLast()), stage.root.keyID + "A", stage.root.keyID + "="] {
            #expect(throws: BundleError.self) { try BundleTrust(rootKey: text) }
        }
    }

    @Test("A remembered sequence never goes back, and another bundle of the same number is a fork")
    func rollback() throws {
        let stage = try BundleStage()
        let one = try stage.first(), two = try stage.next(after: one, by: stage.root)
        let three = try stage.next(after: two, by: stage.root)
        let twin = try stage.next(after: one, by: stage.root, stage.content(lifetime: 5000))
        let afterTwo = try stage.open(two, stage.open(one).trust).trust
        #expect(try stage.fault(one, afterTwo) == .rollback)
        #expect(try stage.fault(two, afterTwo) == nil)
        #expect(try stage.fault(twin, afterTwo) == .fork)
        #expect(try stage.open(three, afterTwo).sequence == 3)
        // Who remembers nothing can be shown anything that is in time.
        #expect(try stage.fault(one) == nil && stage.fault(twin) == nil)
        let otherName = try stage.root.sign(stage.content(), named: "urn:other")
        #expect(try stage.fault(stage.next(after: otherName, by: stage.root), stage.open(one).trust) == .name)
        #expect(try stage.fault(otherName, afterTwo) == .name)
    }

    @Test("Keys roll over: machines that follow, that missed some, and that know only the root key all get there")
    func rollover() throws {
        let stage = try BundleStage(), second = try SigningKey(.generate()), third = try SigningKey(.generate())
        let one = try stage.first()
        let two = try stage.next(after: one, by: stage.root, next: [second.keyID])
        let three = try stage.next(after: two, by: second)
        let four = try stage.next(after: three, by: second, next: [second.keyID, third.keyID])
        let five = try stage.next(after: four, by: third, next: [third.keyID])
        let six = try stage.next(after: five, by: third)
        var trust = try stage.trust
        for (number, bundle) in [one, two, three, four, five, six].enumerated() {
            let opened = try stage.open(bundle, trust)
            #expect(opened.sequence == Int64(number + 1))
            trust = opened.trust
            #expect(try stage.open(bundle).sequence == Int64(number + 1), "from the root alone")
            #expect(try stage.open(six, trust).sequence == 6)
        }
        // Only changes are kept: 2, 4 and 5, and the own link.
        #expect(try UnverifiedBundle(parsing: six).chain.map(\.sequence) == [2, 4, 5, 6])
        // A key that was replaced signs nothing more, neither a bundle nor a link.
        #expect(throws: BundleError(.untrustedSigner, "")) { try stage.next(after: two, by: stage.root) }
        let afterTwo = try stage.open(two).trust
        let stolen = try stage.bundle(chain: [stage.link(stage.linkPayload(3))])
        #expect(try stage.fault(stolen, afterTwo) == .untrustedSigner)
        let linkTwo = String(decoding: try UnverifiedBundle(parsing: two).link.token, as: UTF8.self)
        let revoked = try stage.bundle(chain: [linkTwo, stage.link(stage.linkPayload(3))])
        #expect(try stage.fault(revoked) == .untrustedSigner)
    }

    @Test("A chain with a gap is refused by those who need the link, and taken by those who do not")
    func gap() throws {
        let stage = try BundleStage(), second = try SigningKey(.generate())
        let one = try stage.first(), two = try stage.next(after: one, by: stage.root, next: [second.keyID])
        let three = try stage.next(after: two, by: second, droppingLinksUpTo: 2)
        #expect(try stage.fault(three) == .untrustedSigner)
        #expect(try stage.fault(three, stage.open(one).trust) == .untrustedSigner)
        #expect(try stage.fault(three, stage.open(two).trust) == nil)
    }

    @Test("Sixty-four changes of keys fit, one more does not until old links are dropped")
    func longChain() throws {
        let stage = try BundleStage()
        var key = stage.root, bundle = try stage.first()
        for _ in 0..<(UnverifiedBundle.maximumLinkCount - 1) {
            let next = try SigningKey(.generate())
            bundle = try stage.next(after: bundle, by: key, next: [next.keyID])
            key = next
        }
        let last = try stage.next(after: bundle, by: key)
        #expect(try UnverifiedBundle(parsing: last).chain.count == UnverifiedBundle.maximumLinkCount)
        #expect(try stage.open(last).sequence == 65)
        let other = try SigningKey(.generate())
        let full = try stage.next(after: bundle, by: key, next: [other.keyID])
        #expect(throws: BundleError(.tooLarge, "")) { try stage.next(after: full, by: other) }
        #expect(throws: Never.self) { try stage.next(after: full, by: other, droppingLinksUpTo: 10) }
    }

    @Test("Links of a chain must be in order, of one name, and each by the key that it names")
    func links() throws {
        let stage = try BundleStage(), other = try SigningKey(.generate())
        func good(_ sequence: Int64) throws -> String { try stage.link(stage.linkPayload(sequence)) }
        #expect(try stage.fault(stage.bundle(chain: [good(1)])) == nil)
        #expect(try stage.fault(stage.bundle(chain: [good(1), good(2), good(9)])) == nil)
        #expect(try stage.fault(stage.bundle(chain: [])) == .content)
        #expect(try stage.fault(stage.bundle(chain: [good(2), good(1)])) == .content)
        #expect(try stage.fault(stage.bundle(chain: [good(1), good(1)])) == .content)
        let named = try stage.link(stage.linkPayload(2, name: "urn:other"))
        #expect(try stage.fault(stage.bundle(chain: [good(1), named])) == .content)
        let liar = try stage.link(stage.linkPayload(1), by: other)
        #expect(try stage.fault(stage.bundle(chain: [liar])) == .untrustedSigner)
        // A link that is the root's, and a bundle that is not.
        #expect(try stage.fault(stage.bundle(chain: [good(1)], by: other)) == .untrustedSigner)
        let payload = try stage.linkPayload(1)
        for (target, replacement) in [
            ("\"ver\":1", "\"ver\":2"), ("\"seq\":1", "\"seq\":0"), ("\"seq\":1", "\"seq\":1.0"),
            ("\"seq\":1", "\"seq\":-1"), ("\"seq\":1", "\"seq\":9223372036854775807"),
            ("\"seq\":1", "\"seq\":1,\"x\":1"),
            ("\"seq\":1", "\"seq\":1,\"seq\":1"), ("\"next\":[", "\"next\":[\"x\","), ("\"ver\":1,", ""),
            ("\"name\":\"urn", "\"name\":\"\\u00e9urn"), ("EC", "RSA"), ("\"next\":[", "\"next\":[],\"y\":["),
            ("\"next\":[\"\(stage.root.keyID)\"]", "\"next\":[]"),
            ("\"next\":[", "\"next\":[\"\(stage.root.keyID)\","),
        ] {
            let spoiled = payload.replacing(target, with: replacement)
            #expect(spoiled != payload, "\(target)")
            #expect(try stage.fault(stage.bundle(chain: [stage.link(spoiled)])) == .content, "\(replacement)")
        }
    }
}
