import CarnetAgent
import CarnetService
import Testing

/// Who may ask the agent for what.
@Suite("Peer rules") struct PeerRuleTests {
    private let accounts = Accounts(
        user: { $0 == "vault" ? 1000 : nil }, group: { $0 == "adm" ? 4 : nil })

    @Test("Rules are read in one way, and everything else is refused")
    func reading() throws {
        #expect(try PeerRule(parsing: "proofs=user:1000", accounts: accounts) == PeerRule([.proofs], .user(1000)))
        #expect(try PeerRule(parsing: "passport=user:vault", accounts: accounts) == PeerRule([.passport], .user(1000)))
        #expect(try PeerRule(parsing: "status=group:adm", accounts: accounts) == PeerRule([.status], .group(4)))
        #expect(try PeerRule(parsing: "status=anybody", accounts: accounts) == PeerRule([.status], .anybody))
        for text in [
            "", "=", "proofs", "proofs=", "proofs=user", "proofs=user:", "proofs=user:nobody-there", "all=user:1000",
            "proofs=users:1000", "proofs=user:-1", "proofs=user:4294967295", "proofs=user:99999999999",
            "proofs=user:+1", "proofs=group:vault", "proofs=anybody:", "proofs=anybody:x", "proofs=user:1000:1",
            "Proofs=anybody", "proofs =anybody", "proofs=user:0x1",
        ] {
            #expect(throws: PeerRule.Mistake.self, "\(text)") { try PeerRule(parsing: text, accounts: accounts) }
        }
        #expect(Accounts.system.user("root") == 0 && Accounts.system.group("root") == 0)
        #expect(Accounts.system.user("no-such-user-here") == nil && Accounts.system.group("no-such-group-here") == nil)
    }

    @Test("Without rules only root and the agent's own user are admitted, and a caller who is unknown never is")
    func usual() {
        let rules = PeerRules(owner: 500)
        for call in LocalCall.allCases {
            #expect(rules.admits(LocalPeer(process: 1, user: 0, group: 9), to: call))
            #expect(rules.admits(LocalPeer(process: 1, user: 500, group: 9), to: call))
            #expect(!rules.admits(LocalPeer(process: 1, user: 1000, group: 0, groups: [500]), to: call))
            #expect(!rules.admits(nil, to: call))
        }
        #expect(!rules.admitsOthers && !PeerRules(owner: 500, [PeerRule([.status], .user(500))]).admitsOthers)
        #expect(!PeerRules(owner: 1, [PeerRule([.status], .anybody)]).admits(nil, to: .status))
    }

    @Test("A rule admits whom it names to the calls that it names, and to no other")
    func naming() {
        let rules = PeerRules(
            owner: 500,
            [PeerRule([.proofs], .user(1000)), PeerRule([.passport], .group(77)), PeerRule([.status], .anybody)])
        #expect(rules.admitsOthers)
        let user = LocalPeer(process: 1, user: 1000, group: 1000)
        #expect(
            rules.admits(user, to: .proofs) && !rules.admits(user, to: .passport) && rules.admits(user, to: .status))
        for member in [
            LocalPeer(process: 1, user: 2, group: 77), LocalPeer(process: 1, user: 2, group: 3, groups: [5, 77]),
        ] {
            #expect(rules.admits(member, to: .passport) && !rules.admits(member, to: .proofs))
        }
        let stranger = LocalPeer(process: 1000, user: 77, group: 1000, groups: [1000])
        #expect(!rules.admits(stranger, to: .passport) && !rules.admits(stranger, to: .proofs))
    }
}
