import CarnetResult
import CarnetTesting
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// The examples and test vectors that draft-ietf-oauth-status-list publishes, from its own repository.
@Suite("Vectors of the Token Status List", .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct StatusListVectorTests {
    private func text(_ name: String) throws -> String {
        let path = "fixtures/jose/draft-ietf-oauth-status-list/status-list/\(name).md.txt"
        // Lines are folded in the middle of words.
        return String(decoding: try SharedFixtures.bytes(path), as: UTF8.self)
            .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined()
    }

    /// The list in a file, as a verified token would give it.
    private func list(_ name: String) throws -> StatusList {
        let text = try text(name)
        let json = try text[#require(text.firstIndex(of: "{"))...]
        let forge = try TokenForge()
        let token = try forge.token(
            header: forge.statusListHeader, payload: #"{"sub":"urn:x","iat":5,"status_list":\#(json)}"#)
        return try UnverifiedStatusListToken(parsing: token)
            .verified(by: JSONWebKeySet(parsing: forge.keySet)).list
    }

    private func nonzero(_ list: StatusList) -> [Int: UInt8] {
        var found: [Int: UInt8] = [:]
        for index in 0..<list.count {
            if let status = list[index], status != .valid { found[index] = status.rawValue }
        }
        return found
    }

    @Test("The examples of §4.1 and §4.2")
    func examples() throws {
        #expect(try list("status_list_encoding_json").bytes == [0xB9, 0xA3])
        #expect(try list("status_list_encoding2_json").bytes == [0xC9, 0x44, 0xF9])
    }

    /// The statuses are those that the draft's appendix lists above each encoding; all other of the 2^20 entries are 0.
    @Test("The test vectors of 1, 2 and 4 bits have the statuses that the appendix lists, and no other")
    func appendix() throws {
        let one = try list("status_list_encoding1_long_json")
        let places = [0, 1993, 25_460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534, 1_000_345]
        #expect(one.width == .one && one.count == 1 << 20)
        #expect(nonzero(one) == Dictionary(uniqueKeysWithValues: places.map { ($0, 1) }))
        let two = try list("status_list_encoding2_long_json")
        #expect(two.width == .two && two.count == 1 << 20)
        let values: [UInt8] = [1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3]
        #expect(nonzero(two) == Dictionary(uniqueKeysWithValues: zip(places, values)))
        let four = try list("status_list_encoding4_json")
        #expect(four.width == .four && four.count == 1 << 20)
        #expect(
            nonzero(four) == [
                0: 1, 1993: 2, 35_460: 3, 459_495: 4, 595_669: 5, 754_353: 6, 845_645: 7, 923_232: 8, 924_445: 9,
                934_534: 10, 1_004_534: 11, 1_000_345: 12, 1_030_203: 13, 1_030_204: 14, 1_030_205: 15,
            ])
    }

    @Test("The test vector of 8 bits has each status from 1 to 255 once")
    func eightBits() throws {
        let eight = try list("status_list_encoding8_json")
        #expect(eight.width == .eight && eight.count == 1 << 20)
        #expect(nonzero(eight).values.sorted() == Array(1...255))
        #expect(eight[19_535]?.rawValue == 255 && eight[52_451]?.rawValue == 1 && eight[1199]?.rawValue == 121)
    }

    @Test("The example token of §5.1 is taken apart; without its key nothing of it is believed")
    func token() throws {
        let token = try UnverifiedStatusListToken(parsing: Array(text("status_list_jwt_raw").utf8))
        #expect(token.keyID == "12")
        let content = try token.unverifiedContent()
        #expect(content.uri == "https://example.com/statuslists/1" && content.issuedAt == 1_686_920_170)
        #expect(content.expiresAt == 2_291_720_170 && content.timeToLive == 43_200)
        #expect(content.list.bytes == [0xB9, 0xA3])
        let forge = try TokenForge()
        let keySet = JSONWebKeySet(["12": forge.signingKey.publicKey])
        #expect(throws: StatusListError(.signature, "")) { try token.verified(by: keySet) }
    }
}
