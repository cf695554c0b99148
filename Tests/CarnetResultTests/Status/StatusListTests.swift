import CarnetResult
import Testing

/// The packing, its bounds, and a reference's own.
@Suite("Status lists")
struct StatusListTests {
    /// draft-ietf-oauth-status-list §4.1: the list of 16 one-bit entries whose two bytes are 0xB9 0xA3.
    @Test("One bit each: index 0 is the least significant bit of the first byte")
    func oneBit() throws {
        let statuses: [UInt8] = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
        try check(.one, statuses, [0xB9, 0xA3])
    }

    /// draft-ietf-oauth-status-list §4.1: the list of 12 two-bit entries whose three bytes are 0xC9 0x44 0xF9.
    @Test("Two bits each: four to a byte, the first in the least significant bits")
    func twoBits() throws { try check(.two, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3], [0xC9, 0x44, 0xF9]) }

    @Test("Four and eight bits each")
    func wider() throws {
        try check(.four, [1, 15, 0, 7], [0xF1, 0x70])
        try check(.eight, [1, 255], [1, 255])
    }

    private func check(_ width: StatusList.Width, _ statuses: [UInt8], _ packed: [UInt8]) throws {
        var made = try StatusList(width: width, count: statuses.count)
        for (index, status) in statuses.enumerated() {
            let isSet = made.set(TokenStatus(rawValue: status), at: index)
            #expect(isSet)
        }
        #expect(made.bytes == packed && made.count == statuses.count)
        let read = try StatusList(width: width, packed: packed)
        #expect((0..<read.count).map { read[$0]?.rawValue } == statuses)
    }

    @Test("Setting one entry leaves every other as it was", arguments: StatusList.Width.allCases)
    func neighbours(width: StatusList.Width) throws {
        let largest = UInt8((1 << width.rawValue) - 1)
        for index in 0..<24 {
            var list = try StatusList(width: width, count: 24)
            for other in 0..<24 { list.set(TokenStatus(rawValue: largest), at: other) }
            list.set(.valid, at: index)
            for other in 0..<24 { #expect(list[other]?.rawValue == (other == index ? 0 : largest)) }
        }
    }

    @Test("An index or a status outside is neither read nor set; a count outside makes no list")
    func bounds() throws {
        var list = try StatusList(width: .two, count: 5)
        #expect(list.count == 8, "counts are whole bytes")
        #expect(list[-1] == nil && list[8] == nil && list[.max] == nil && list[7] == .valid)
        let outside = list.set(.invalid, at: 8), before = list.set(.invalid, at: -1)
        let tooLarge = list.set(TokenStatus(rawValue: 4), at: 0)
        #expect(!outside && !before && !tooLarge)
        #expect(list.bytes == [0, 0])
        #expect(throws: StatusListError(.tooLarge, "")) { try StatusList(count: StatusList.maximumCount + 1) }
        #expect(throws: StatusListError(.tooLarge, "")) { try StatusList(count: -1) }
        let bytes = [UInt8](repeating: 0, count: StatusList.maximumCount / 8 + 1)
        #expect(throws: StatusListError(.tooLarge, "")) { try StatusList(width: .one, packed: bytes) }
        #expect(try StatusList(width: .one, packed: Array(bytes.dropLast())).count == StatusList.maximumCount)
    }

    @Test("A reference names a list that can exist and an index that it can have")
    func references() {
        #expect(StatusReference(uri: "https://a.example/1", index: 0)?.index == 0)
        #expect(StatusReference(uri: "a", index: StatusList.maximumCount - 1) != nil)
        for uri in ["", "a b", "a\n", "é", String(repeating: "a", count: 1025)] {
            #expect(StatusReference(uri: uri, index: 0) == nil)
        }
        for index in [-1, StatusList.maximumCount, .max, .min] {
            #expect(StatusReference(uri: "a", index: index) == nil)
        }
    }

    @Test("A list that says of one entry that it stands takes back what another says")
    func takenBack() throws {
        var one = try StatusList(width: .two, count: 100), other = one
        #expect(!one.isTakenBack(by: other))
        one.set(.invalid, at: 77)
        #expect(one.isTakenBack(by: other) && !other.isTakenBack(by: one))
        other.set(.suspended, at: 77)
        #expect(!one.isTakenBack(by: other))
        var wide = try StatusList(width: .eight, count: 200)
        #expect(one.isTakenBack(by: wide))
        wide.set(.invalid, at: 77)
        #expect(!one.isTakenBack(by: wide))
        #expect(try one.isTakenBack(by: StatusList(width: .two, count: 40)))
    }
}
